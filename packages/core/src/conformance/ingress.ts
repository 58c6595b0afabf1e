// The contract of `Ingress`, as cases. Every ingress runs them: HTTP, gRPC, yours.

import type { Ingress, IngressStarted, Receive, ReceiveOutcome, Report } from "../ports/ingress.js";
import { assert, assertSame, type Clause, type ConformanceCase, createCases } from "./case.js";
import { pause } from "./pause.js";

/** What a sender understands of the answer: forget it, send it again, or it will never be taken. */
export type SenderVerdict = "success" | "retry" | "rejected";

export interface IngressHarness {
	/** The ingress under test, with one app that may report. */
	readonly ingress: Ingress;
	/** The key of that app. */
	readonly appKey: string;
	/** A `request_param` of more UTF-8 bytes than this is refused. */
	readonly maxRequestParamBytes: number;
	/**
	 * Sends `requestParam` over the wire as that app, or with a forged proof, and with `headers` where the transport has
	 * them; rejects when there was no answer.
	 */
	send(
		started: IngressStarted,
		requestParam: string,
		proof: "authentic" | "forged",
		headers?: Readonly<Record<string, string>>,
	): Promise<SenderVerdict>;
	/** Releases what the harness holds; the ingress is stopped already. */
	dispose(): Promise<void>;
}

type SuiteClause = Clause<IngressHarness, IngressHarness>;

/** All cases; each makes a harness of its own. */
export function ingressSuite(makeHarness: () => Promise<IngressHarness>): readonly ConformanceCase[] {
	return createCases(CLAUSES, makeHarness, {
		open: (harness) => harness,
		supports: () => true,
		end: (harness) => harness.ingress.stop(),
	});
}

const CLAUSES: readonly SuiteClause[] = [
	["success-outcomes", "answers success for everything that is stored", answersSuccess],
	[
		"retry-outcomes",
		"asks for a retry when the report is unavailable or the app reports too often",
		asksForRetry,
	],
	["final-outcomes", "answers finally what was quarantined or refused", answersFinally],
	["reply-after-receive", "does not answer before receive has", repliesAfterReceive],
	["exact-text", "hands over request_param exactly as it was sent", handsOverExactText],
	["payload-key", "hands over the same report again, whatever headers it comes with", handsOverSameReport],
	["authentic-only", "keeps a forged report away from receive", keepsForgeriesAway],
	["bounded", "refuses a request_param over the limit and goes on", refusesOversize],
	["throwing-receive", "asks for a retry when receive throws, and goes on", survivesThrowing],
	["metadata", "says who sent the report and through which ingress", saysWhoSent],
	["drain", "answers what is in flight before stop resolves, then takes no more", drains],
];

const TEXT = '{"game_id":"cgdctwrqs"}';
const stream = "recording-0";

const STORED: readonly ReceiveOutcome[] = [
	{ _tag: "Reported", stream },
	{ _tag: "AlreadyReported", stream },
	{ _tag: "LinkRenewed", stream },
	{ _tag: "Contradicted", stream },
];

/** A `receive` that answers `outcome` and keeps what it was handed. */
function recorder(outcome: ReceiveOutcome): { receive: Receive; reports: Report[] } {
	const reports: Report[] = [];
	return {
		reports,
		receive: async (report) => {
			reports.push(report);
			return outcome;
		},
	};
}

const reported = (): ReturnType<typeof recorder> => recorder({ _tag: "Reported", stream });

async function expectVerdict(
	harness: IngressHarness,
	outcomes: readonly ReceiveOutcome[],
	verdict: SenderVerdict,
): Promise<void> {
	let next = 0;
	const receive: Receive = async () => outcomes[next++] ?? { _tag: "Refused", message: "one too many" };
	const started = await harness.ingress.start(receive);
	for (const outcome of outcomes) {
		assertSame(await harness.send(started, TEXT, "authentic"), verdict, `the answer to ${outcome._tag}`);
	}
	assertSame(next, outcomes.length, "reports handed over");
}

function answersSuccess(harness: IngressHarness): Promise<void> {
	return expectVerdict(harness, STORED, "success");
}

function asksForRetry(harness: IngressHarness): Promise<void> {
	const reasons = ["overloaded", "timeout", "fault"] as const;
	const unavailable = reasons.map(
		(reason) => ({ _tag: "Unavailable", reason, message: "try again" }) as const,
	);
	const rateLimited = { _tag: "RateLimited", retryAfterMs: 1500, message: "too often" } as const;
	return expectVerdict(harness, [...unavailable, rateLimited], "retry");
}

function answersFinally(harness: IngressHarness): Promise<void> {
	return expectVerdict(
		harness,
		[
			{ _tag: "Quarantined", stream, issues: [{ field: "project_id", problem: "is missing" }] },
			{ _tag: "Refused", message: "not this project" },
		],
		"rejected",
	);
}

async function repliesAfterReceive(harness: IngressHarness): Promise<void> {
	let entered: () => void = () => undefined;
	let release: (outcome: ReceiveOutcome) => void = () => undefined;
	const inside = new Promise<void>((resolve) => {
		entered = resolve;
	});
	const outcome = new Promise<ReceiveOutcome>((resolve) => {
		release = resolve;
	});
	const started = await harness.ingress.start(() => {
		entered();
		return outcome;
	});
	let answered = false;
	const reply = harness.send(started, TEXT, "authentic").finally(() => {
		answered = true;
	});
	await Promise.race([inside, reply]);
	await pause(80);
	assert(!answered, "no answer leaves while receive is at work");
	release({ _tag: "Reported", stream });
	assertSame(await reply, "success", "the answer that follows receive");
}

async function handsOverExactText(harness: IngressHarness): Promise<void> {
	const texts = [
		'{ "project_id" : "云游戏\u00a0é🎮", "download_url":"http:\\/\\/h\\/a%2Fb?x=1&y=%2B+%3D" }',
		"{'python': 'dict'}",
		'{"a":1}\r\n  ',
		'e\u0301 \u00e9 "\\u0000" \ufeff',
	];
	const { receive, reports } = reported();
	const started = await harness.ingress.start(receive);
	for (const text of texts) await harness.send(started, text, "authentic");
	const received = reports.map(({ requestParam }) =>
		typeof requestParam === "string"
			? requestParam
			: new TextDecoder("utf-8", { ignoreBOM: true }).decode(requestParam),
	);
	assertSame(received, texts, "what was handed over");
}

/** What the report's key is made of must not change with what a proxy or a client puts beside the payload. */
async function handsOverSameReport(harness: IngressHarness): Promise<void> {
	const { receive, reports } = reported();
	const started = await harness.ingress.start(receive);
	for (const digit of ["1", "2", "3"]) {
		const headers = {
			traceparent: `00-${digit.repeat(32)}-${digit.repeat(16)}-01`,
			"x-request-id": `request-id-${digit}`,
			"idempotency-key": `key-${digit}`,
			"x-forwarded-for": `192.0.2.${digit}`,
			"user-agent": `sender/${digit}`,
		};
		const verdict = await harness.send(started, TEXT, "authentic", headers);
		assertSame(verdict, "success", "the answer to a report with other headers");
	}
	const payloads = reports.map(({ requestParam, appKey }) => ({
		appKey,
		text: typeof requestParam === "string" ? requestParam : new TextDecoder().decode(requestParam),
	}));
	const same = { appKey: harness.appKey, text: TEXT };
	assertSame(payloads, [same, same, same], "the reports handed over, but for their metadata");
}

async function keepsForgeriesAway(harness: IngressHarness): Promise<void> {
	const { receive, reports } = reported();
	const started = await harness.ingress.start(receive);
	assertSame(await harness.send(started, TEXT, "forged"), "rejected", "the answer to a forgery");
	assertSame(reports.length, 0, "forged reports handed over");
	assertSame(await harness.send(started, TEXT, "authentic"), "success", "the answer to an authentic report");
	assertSame(reports.length, 1, "authentic reports handed over");
}

async function refusesOversize(harness: IngressHarness): Promise<void> {
	const { receive, reports } = reported();
	const started = await harness.ingress.start(receive);
	const tooLarge = `{"a":"${"x".repeat(harness.maxRequestParamBytes)}"}`;
	// Whether the answer arrives before the connection is closed is the transport's business; success is nobody's.
	const verdict = await harness.send(started, tooLarge, "authentic").catch(() => "rejected");
	assert(verdict !== "success", "too large a report is no success");
	assertSame(reports.length, 0, "too large reports handed over");
	assertSame(await harness.send(started, TEXT, "authentic"), "success", "the answer to the next report");
}

async function survivesThrowing(harness: IngressHarness): Promise<void> {
	let calls = 0;
	const started = await harness.ingress.start(async () => {
		calls += 1;
		if (calls === 1) throw new Error("a fault in receive");
		return { _tag: "Reported", stream };
	});
	assertSame(await harness.send(started, TEXT, "authentic"), "retry", "the answer when receive throws");
	assertSame(await harness.send(started, TEXT, "authentic"), "success", "the answer to the retry");
}

async function saysWhoSent(harness: IngressHarness): Promise<void> {
	const { receive, reports } = reported();
	const started = await harness.ingress.start(receive);
	await harness.send(started, TEXT, "authentic");
	await harness.send(started, TEXT, "authentic");
	const [first, second] = reports;
	assert(first !== undefined && second !== undefined, "both reports are handed over");
	assertSame(first.appKey, harness.appKey, "the app key");
	assert((first.metadata.ingress ?? "") !== "", "metadata names the ingress");
	assert((first.metadata.requestId ?? "") !== "", "metadata carries a request id");
	assert(first.metadata.requestId !== second.metadata.requestId, "each request has an id of its own");
}

async function drains(harness: IngressHarness): Promise<void> {
	let entered: () => void = () => undefined;
	const inside = new Promise<void>((resolve) => {
		entered = resolve;
	});
	const started = await harness.ingress.start(async () => {
		entered();
		await pause(60);
		return { _tag: "Reported", stream };
	});
	const reply = harness.send(started, TEXT, "authentic");
	await inside;
	await harness.ingress.stop();
	assertSame(await reply, "success", "the answer to a report in flight");
	const late = await harness.send(started, TEXT, "authentic").then(
		(verdict) => verdict,
		() => "no answer",
	);
	assert(late !== "success", "a stopped ingress takes no report");
	await harness.ingress.stop();
}
