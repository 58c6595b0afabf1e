// The clauses of `VideoSource` about links that lead to no video: why, as a value, and in words that give nothing away.

import { isSourceFault } from "../ports/source-fault.js";
import type { OpenVideoResult } from "../ports/video-source.js";
import { assert, assertSame } from "./case.js";
import type { StrayLink, VideoSourceHarness } from "./video-source.js";
import {
	assertFault,
	assertRest,
	open,
	openUnavailable,
	openVideo,
	promptly,
	readToEnd,
	within,
} from "./video-source-samples.js";
import { sampleBytes } from "./video-store-samples.js";

export async function tellsAbsence(harness: VideoSourceHarness): Promise<void> {
	await openUnavailable(harness, harness.strayLink("absent"), "not-found");
}

export async function tellsExpiry(harness: VideoSourceHarness): Promise<void> {
	await openUnavailable(harness, harness.strayLink("expired"), "expired");
}

export async function tellsRefusal(harness: VideoSourceHarness): Promise<void> {
	await openUnavailable(harness, harness.strayLink("refused"), "refused");
}

export async function tellsPatience(harness: VideoSourceHarness): Promise<void> {
	const bytes = sampleBytes(1_000);
	const link = harness.serve("video.mp4", { bytes, busyForMs: 3_000 });
	const { retryAfterMs } = await openUnavailable(harness, link, "busy");
	assertSame(retryAfterMs, 3_000, "milliseconds that the origin wants to be left alone");
	await assertRest(await openVideo(harness, harness.serve("video.mp4", { bytes })), 0, bytes);
}

export async function obeysPolicy(harness: VideoSourceHarness): Promise<void> {
	const link = harness.strayLink("forbidden");
	await promptly(harness, "a link that is not allowed", openUnavailable(harness, link, "not-allowed"));
}

export async function followsRedirects(harness: VideoSourceHarness): Promise<void> {
	const bytes = sampleBytes(100_000);
	const link = harness.serve("video.mp4", { bytes });
	const second = harness.serve("second.mp4", { bytes: new Uint8Array(), redirectsTo: link });
	for (const redirectsTo of [link, second]) {
		const first = harness.serve("first.mp4", { bytes: new Uint8Array(), redirectsTo });
		await assertRest(await openVideo(harness, first), 0, bytes);
	}
}

export async function obeysPolicyBehindRedirects(harness: VideoSourceHarness): Promise<void> {
	const bytes = sampleBytes(1_000);
	const forbidden = harness.strayLink("forbidden");
	const second = harness.serve("second.mp4", { bytes, redirectsTo: forbidden });
	for (const redirectsTo of [forbidden, second]) {
		const link = harness.serve("first.mp4", { bytes, redirectsTo });
		await promptly(harness, "a redirect that is not allowed", openUnavailable(harness, link, "not-allowed"));
	}
}

export async function tellsUnreachable(harness: VideoSourceHarness): Promise<void> {
	await openUnavailable(harness, harness.strayLink("unreachable"), "unreachable");
}

const SECRET = "c2VjcmV0LW9mLXRoZS1saW5r";
const BAD_LINKS = [
	"",
	" ",
	"\0",
	"?",
	"not a link",
	"http://",
	"http://[",
	"http://:80/",
	"//host/video.mp4",
	"/etc/passwd",
	"javascript:alert(1)",
	"data:video/mp4;base64,AAAA",
	"file:///etc/passwd",
	"http://\ud800/",
	"x".repeat(100_000),
].flatMap((link) => [link, `${link}?Signature=${SECRET}`]);

export async function takesBadLinks(harness: VideoSourceHarness): Promise<void> {
	for (const link of BAD_LINKS) {
		const result = await open(harness, link);
		assertSame(result._tag, "Unavailable", `what opens behind ${JSON.stringify(link.slice(0, 40))}`);
	}
}

export async function limitsSizes(harness: VideoSourceHarness): Promise<void> {
	const { maxBytes } = harness;
	assert(maxBytes !== undefined, "the harness says how large a video may be");
	const largest = new Uint8Array(maxBytes);
	await assertRest(await openVideo(harness, harness.serve("video.mp4", { bytes: largest })), 0, largest);
	const bytes = new Uint8Array(maxBytes + 1);
	await openUnavailable(harness, harness.serve("video.mp4", { bytes }), "too-large");
	const unstated = await openVideo(harness, harness.serve("video.mp4", { bytes, statesNoLength: true }));
	const ended = await readToEnd(unstated);
	assertFault(ended, "too-large", bytes);
	assert(ended.bytes.length <= maxBytes, "no byte comes that is one too many");
}

/** What each kind of stray link needs of the source, if anything. */
const STRAY = {
	absent: undefined,
	expired: "expiry",
	refused: "refusal",
	unreachable: undefined,
	forbidden: "policy",
} as const satisfies Record<StrayLink, unknown>;

export async function tellsNoSecrets(harness: VideoSourceHarness): Promise<void> {
	const { supports } = harness;
	for (const [kind, need] of Object.entries(STRAY) as [StrayLink, (typeof STRAY)[StrayLink]][]) {
		if (need !== undefined && !supports[need]) continue;
		await expectDiscretion(harness, harness.strayLink(kind));
	}
	for (const link of BAD_LINKS.filter((link) => link.includes(SECRET))) await expectDiscretion(harness, link);
	const bytes = sampleBytes(200_000);
	if (supports.patience) {
		await expectDiscretion(harness, harness.serve("video.mp4", { bytes, busyForMs: 1_000 }));
	}
	await expectDiscretion(harness, harness.serve("video.mp4", { bytes, breaksOffAfter: 100_000 }));
	if (supports.silence) {
		// Both take their time.
		await Promise.all([
			expectDiscretionInSilence(harness, harness.serve("silent.mp4", { bytes, silentAfter: 100_000 })),
			expectDiscretionInSilence(harness, harness.serve("held-back.mp4", { bytes, holdsBack: true })),
		]);
	}
	await expectPlainFields(harness, bytes);
	if (!supports.redirects) return;
	const targets = [harness.serve("video.mp4", { bytes })];
	if (supports.policy) targets.push(harness.strayLink("forbidden"));
	for (const target of targets)
		await expectDiscretion(harness, harness.serve("from.mp4", { bytes, redirectsTo: target }), target);
}

/** Fails when what is told of a video that opens, at its start or later, holds a part of a link's query. */
async function expectPlainFields(harness: VideoSourceHarness, bytes: Uint8Array): Promise<void> {
	const link = harness.serve("video.mp4", { bytes });
	const opened = await openVideo(harness, link);
	assertDiscreet(await wordsOf(opened), link);
	const { validator } = opened;
	if (validator === undefined) return;
	const fresh = harness.serve("video.mp4", { bytes });
	const resumed = await openVideo(harness, fresh, { offset: 100_000, validator });
	assertDiscreet(await wordsOf(resumed), link, fresh);
}

/** Fails when what is said about `link`, or about the one that it leads to, holds a part of a query. */
async function expectDiscretion(
	harness: VideoSourceHarness,
	link: string,
	...others: readonly string[]
): Promise<void> {
	assertDiscreet(await wordsOf(await open(harness, link)), link, ...others);
}

/** As `expectDiscretion`. Whether the source gives up by itself is for other clauses to say. */
async function expectDiscretionInSilence(harness: VideoSourceHarness, link: string): Promise<void> {
	const { idleTimeoutMs, answerTimeoutMs = idleTimeoutMs } = harness;
	const limitMs = 3 * Math.max(idleTimeoutMs, answerTimeoutMs) + 1_000;
	const words = open(harness, link, { signal: AbortSignal.timeout(limitMs) }).then(wordsOf);
	assertDiscreet(await within(limitMs + 2_000, "an aborted video ends", words), link);
}

function assertDiscreet(said: string, ...links: readonly string[]): void {
	for (const secret of links.flatMap(secretsOf))
		assert(!said.includes(secret), "no message and no field holds a part of a link's query");
}

function secretsOf(link: string): readonly string[] {
	const query = link.slice(link.indexOf("?") + 1);
	const values = query.split("&").map((pair) => pair.slice(pair.indexOf("=") + 1));
	const secrets = values
		.flatMap((value) => [value, decodeURIComponent(value)])
		.filter(({ length }) => length > 4);
	assert(link.includes("?") && secrets.length > 0, "the harness's links have a query with a secret");
	return [query, ...secrets];
}

/** All that is said of a link, and of the video behind it, up to whatever ends its body. */
async function wordsOf(result: OpenVideoResult): Promise<string> {
	if (result._tag === "Unavailable") return JSON.stringify(result);
	const { body: _, ...fields } = result;
	const { fault } = await readToEnd(result);
	if (fault === undefined) return JSON.stringify(fields);
	assert(isSourceFault(fault), "a body that ends early throws a SourceFault");
	return `${JSON.stringify([fields, fault])} ${fault.message} ${fault.stack} ${String(fault.cause ?? "")}`;
}
