import { loadRecording, MAX_RENEWALS } from "@reelkeep/core";
import {
	keyringFault,
	type LinkRefresher,
	type Logger,
	type RefreshedLink,
	type RefreshReason,
	type RefreshRequest,
	storeFault,
} from "@reelkeep/core/ports";
import { createRecordingScene, type RecordingScene } from "@reelkeep/harness/recording-scene";
import { beforeEach, describe, expect, it } from "vitest";
import { createPendingSet } from "./pending-set.js";
import { createAskForLink, type RefreshDeps } from "./refresh-link.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const OBJECT = "bucket.aliyuncs.com/720p.mp4";
const linkOf = (serial: number, object = OBJECT): string =>
	`http://${object}?Expires=4102444800&OSSAccessKeyId=LTAI&Signature=s3cret${serial}`;

let scene: RecordingScene;
let stream: string;
let requests: RefreshRequest[];
let lines: string[];

beforeEach(async () => {
	scene = createRecordingScene();
	requests = [];
	lines = [];
	stream = await scene.report(linkOf(0));
});

/** Writes to the transcript, which is searched for links at the end, and to `lines`. */
function hearing(): Logger {
	const hear = (level: keyof Logger) => (details: object, message: string) => {
		lines.push(`${level} ${message} ${JSON.stringify(details)}`);
		scene.logger[level](details, message);
	};
	return {
		trace: hear("trace"),
		debug: hear("debug"),
		info: hear("info"),
		warn: hear("warn"),
		error: hear("error"),
	};
}

type Answer = (options: { readonly signal: AbortSignal }) => ReturnType<LinkRefresher["refresh"]>;

/** Makes what asks a refresher that answers so. */
function asking(answer: Answer, deps: Partial<RefreshDeps> = {}) {
	const refresher: LinkRefresher = {
		refresh(request, options) {
			requests.push(request);
			return answer(options);
		},
	};
	const ask = createAskForLink({ ...scene, logger: hearing(), refresher, ...deps });
	return async (reason: RefreshReason = "dead", signal = new AbortController().signal, of = stream) => {
		const set = createPendingSet(() => undefined);
		for await (const event of scene.store.readAll()) set.apply(event);
		const pending = set.get(of);
		if (pending === undefined) throw new Error("nothing is pending");
		return ask(pending, (await loadRecording(scene.store, of)).recording, { reason, signal });
	};
}

const giving =
	(...links: readonly (string | RefreshedLink | undefined)[]): Answer =>
	async () => {
		const link = links[Math.min(requests.length, links.length) - 1];
		return typeof link === "string" ? { downloadUrl: link } : link;
	};
const links = async () => (await scene.history(stream)).filter(({ type }) => type === "LinkRenewed");

describe("a refresher that has a new link", () => {
	it("is told what the recording is, and nothing of its link but the object", async () => {
		expect(await asking(giving(linkOf(1)))("dying")).toBe("Renewed");
		expect(requests).toEqual([
			{
				stream,
				projectId: "project-1",
				trackInfo: "track-1",
				gameId: "game-1",
				accountId: "account-1",
				accountDomain: 3001,
				object: OBJECT,
				deadline: expect.closeTo(scene.clock.now() + HOUR, -4),
				reason: "dying",
			},
		]);
	});

	it("has it recorded as what follows from the recording's own events", async () => {
		const expireTime = scene.clock.now() + 2 * HOUR;
		await asking(giving({ downloadUrl: linkOf(1), expireTime }))();
		const [reported] = await scene.history(stream);
		expect(await links()).toMatchObject([
			{
				data: { expireTime, deadline: { at: expireTime, source: "expire_time" }, reopens: false },
				metadata: { ingress: "archiver", correlationId: "correlation-1", causationId: reported?.id },
			},
		]);
	});

	it("is not asked more than once a minute for one recording, also when its links are dead at once", async () => {
		const ask = asking(async () => ({ downloadUrl: linkOf(requests.length) }));
		for (let times = 0; times < 5; times += 1) await ask();
		expect(requests).toHaveLength(1);
	});
});

describe("a refresher that has none", () => {
	it("says so, and is not asked again for a minute", async () => {
		const ask = asking(giving(undefined));
		expect([await ask(), await ask()]).toEqual(["None", "None"]);
		expect(requests).toHaveLength(1);
		scene.clock.shift(MINUTE);
		expect(await ask()).toBe("None");
		expect(requests).toHaveLength(2);
	});

	it("for a dying link is asked all the same once that is dead", async () => {
		const ask = asking(giving(undefined, linkOf(1)));
		expect([await ask("dying"), await ask("dead")]).toEqual(["None", "Renewed"]);
		expect(requests.map(({ reason }) => reason)).toEqual(["dying", "dead"]);
	});

	it("is asked for each recording by itself", async () => {
		const other = await scene.report(linkOf(0), { trackInfo: "track-2" });
		const ask = asking(giving(undefined));
		for (const of of [stream, other, stream, other]) await ask("dead", undefined, of);
		expect(requests.map((request) => request.stream)).toEqual([stream, other]);
	});

	it("is asked again at once by a clock that was set back", async () => {
		let backMs = 0;
		const now = () => scene.clock.now() - backMs;
		const ask = asking(giving(undefined), { clock: { ...scene.clock, now } });
		await ask();
		backMs = HOUR;
		await ask();
		expect(requests).toHaveLength(2);
	});

	it("gives a link that is known already", async () => {
		expect(await asking(giving(linkOf(0)))()).toBe("None");
		expect(await links()).toEqual([]);
	});

	it("answers null", async () => {
		expect(await asking(async () => null as unknown as undefined)()).toBe("None");
	});
});

describe("a refresher that fails", () => {
	const secret = new Error(`no answer for ${linkOf(7)}`);
	const failing: readonly (readonly [string, Answer])[] = [
		["rejects", () => Promise.reject(secret)],
		[
			"throws",
			() => {
				throw secret;
			},
		],
		["gives a link to another object", giving(linkOf(1, "bucket.aliyuncs.com/other.mp4"))],
		["gives a link on another host", giving(linkOf(1, "other.aliyuncs.com/720p.mp4"))],
		["gives something else than a link", giving("file:///720p.mp4?Signature=s3cret7")],
	];

	it.each(failing)(
		"is asked again a minute later when it %s, and none of its words is logged",
		async (_what, answer) => {
			const ask = asking(answer);
			expect([await ask(), await ask()]).toEqual(["Failed", "Failed"]);
			expect(requests).toHaveLength(1);
			scene.clock.shift(MINUTE);
			expect(await ask()).toBe("Failed");
			expect(requests).toHaveLength(2);
			expect(await links()).toEqual([]);
			expect(lines.filter((line) => line.startsWith("warn"))).toHaveLength(2);
			expect(lines.join("\n")).not.toMatch(/s3cret|LTAI|Signature/);
		},
	);

	it("never answers: it is told to stop after 30 seconds, and what it gives then is not taken", async () => {
		let signal: AbortSignal | undefined;
		let settle: (link: RefreshedLink) => void = () => undefined;
		const ask = asking((options) => {
			signal = options.signal;
			return new Promise((resolve) => {
				settle = resolve;
			});
		});
		const asked = ask();
		while (signal === undefined) await new Promise((resolve) => setImmediate(resolve));
		scene.clock.shift(29_000);
		expect(signal.aborted).toBe(false);
		scene.clock.shift(1_000);
		expect(await asked).toBe("Failed");
		expect(signal.aborted).toBe(true);
		settle({ downloadUrl: linkOf(1) });
		await new Promise((resolve) => setImmediate(resolve));
		expect(await links()).toEqual([]);
	});

	it("gives a link that the keyring cannot seal: that is said once, and the known links are left to be tried", async () => {
		const seal = () => Promise.reject(keyringFault("unavailable", "no key"));
		const ask = asking(giving(linkOf(1)), { keyring: { ...scene.keyring, seal } });
		expect(await ask("dying")).toBe("Failed");
		expect(lines.filter((line) => line.startsWith("warn"))).toEqual([expect.stringContaining("no key")]);
		expect(await links()).toEqual([]);
	});

	it("gives a link that is one too many", async () => {
		for (let serial = 1; serial <= MAX_RENEWALS; serial += 1) await scene.report(linkOf(serial));
		expect(await asking(giving(linkOf(99)))()).toBe("None");
		expect(await links()).toHaveLength(MAX_RENEWALS);
		expect(lines.filter((line) => line.startsWith("warn"))).toHaveLength(1);
	});
});

describe("a refresher that was asked when everything stops, or a download gives way", () => {
	const silent: Answer = () => new Promise(() => undefined);
	const onAbort =
		(settle: () => ReturnType<LinkRefresher["refresh"]>): Answer =>
		({ signal }) =>
			new Promise((resolve, reject) => {
				signal.addEventListener("abort", () => settle().then(resolve, reject));
			});

	it.each<readonly [string, Answer]>([
		["rejects", onAbort(() => Promise.reject(new Error("aborted")))],
		["says that there is none", onAbort(async () => undefined)],
		["says nothing", silent],
	])("is not waited for, and it counts for nothing that it %s", async (_what, answer) => {
		let isOver = false;
		const ask = asking((options) => (isOver ? giving(linkOf(1))(options) : answer(options)));
		const stop = new AbortController();
		const asked = ask("dead", stop.signal);
		while (requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
		stop.abort();
		expect(await asked).toBe("Stopped");
		expect(lines.filter((line) => line.startsWith("warn"))).toEqual([]);
		isOver = true;
		requests.splice(0);
		expect(await ask()).toBe("Renewed");
	});

	it("is not asked when that was before", async () => {
		expect(await asking(silent)("dead", AbortSignal.abort())).toBe("Stopped");
		expect(requests).toEqual([]);
	});

	it("rejects when nobody waits any more: that ends no process", async () => {
		let reject: (error: Error) => void = () => undefined;
		const stop = new AbortController();
		const ask = asking(
			() =>
				new Promise((_, no) => {
					reject = no;
					stop.abort();
				}),
		);
		expect(await ask("dead", stop.signal)).toBe("Stopped");
		reject(new Error("too late"));
		await new Promise((resolve) => setImmediate(resolve));
	});
});

describe("a refresher that hangs or is down", () => {
	const down: Answer = () => Promise.reject(new Error("503"));
	const report = async (count: number): Promise<readonly string[]> => {
		const streams: string[] = [];
		for (let serial = 0; serial < count; serial += 1)
			streams.push(await scene.report(linkOf(0), { trackInfo: `other-${serial}` }));
		return streams;
	};

	it("is asked for no recording for a minute", async () => {
		const others = await report(5);
		const ask = asking(down);
		expect(await ask()).toBe("Failed");
		for (const other of others) expect(await ask("dying", undefined, other)).toBe("Failed");
		scene.clock.shift(MINUTE - 5_000);
		for (const other of others) expect(await ask("dead", undefined, other)).toBe("Failed");
		expect(requests).toHaveLength(1);
	});

	it("is then asked for one that may find out, while the others are answered at once", async () => {
		const [first = "", second = "", third = ""] = await report(3);
		let answer = down;
		const ask = asking((options) => answer(options));
		await ask();
		scene.clock.shift(MINUTE);
		answer = () => new Promise(() => undefined);
		const probe = ask("dead", undefined, first);
		while (requests.length < 2) await new Promise((resolve) => setImmediate(resolve));
		expect(await ask("dead", undefined, second)).toBe("Failed");
		scene.clock.shift(30_000);
		expect(await probe).toBe("Failed");
		expect(await ask("dead", undefined, second)).toBe("Failed");
		expect(requests).toHaveLength(2);
		scene.clock.shift(MINUTE);
		answer = giving(undefined);
		for (const each of [second, third]) expect(await ask("dead", undefined, each)).toBe("None");
		expect(requests).toHaveLength(4);
	});

	it("is asked for another one when the one that was to find out is broken off", async () => {
		const [first = "", second = ""] = await report(2);
		let answer = down;
		const ask = asking((options) => answer(options));
		await ask();
		scene.clock.shift(MINUTE);
		answer = () => new Promise(() => undefined);
		const stop = new AbortController();
		const probe = ask("dead", stop.signal, first);
		while (requests.length < 2) await new Promise((resolve) => setImmediate(resolve));
		stop.abort();
		expect(await probe).toBe("Stopped");
		answer = giving(undefined);
		expect(await ask("dead", undefined, second)).toBe("None");
	});

	it("is asked again at once by a clock that was set back", async () => {
		let backMs = 0;
		const now = () => scene.clock.now() - backMs;
		const [other = ""] = await report(1);
		const ask = asking(down, { clock: { ...scene.clock, now } });
		await ask();
		backMs = HOUR;
		await ask("dead", undefined, other);
		expect(requests).toHaveLength(2);
	});
});

it("a store that cannot record the new link is the store's fault, not the refresher's", async () => {
	const append = () => Promise.reject(storeFault("io", "the log cannot be written"));
	const ask = asking(giving(linkOf(1)), { store: { ...scene.store, append } });
	await expect(ask()).rejects.toMatchObject({ _tag: "StoreFault" });
});
