import {
	keyringFault,
	type LinkRefresher,
	type Logger,
	type RefreshedLink,
	type RefreshRequest,
	type VideoStore,
} from "@reelkeep/core/ports";
import { LINK_EXPIRED } from "@reelkeep/testing";
import { describe, expect, it } from "vitest";
import type { ArchiverDeps } from "./archiver.js";
import { eventually, HOUR, NAME, origin, presign, QUICK, scene, start, typesOf } from "./test-archiving.js";

const MINUTE = 60_000;
const BROKEN = { _tag: "Status", status: 500 } as const;

type Answer = () => RefreshedLink | undefined | Promise<RefreshedLink | undefined>;

/** An archiver with a refresher that answers so, and what it was asked. */
function startWith(answer: Answer, deps: Partial<ArchiverDeps> = {}) {
	const requests: RefreshRequest[] = [];
	const refresher: LinkRefresher = {
		async refresh(request) {
			requests.push(request);
			return answer();
		},
	};
	return { requests, archiver: start({ refresher, ...deps }) };
}

const renewed = (): RefreshedLink => ({ downloadUrl: presign() });
const none = (): undefined => undefined;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150));

/** A recording whose link is dead, says its origin, though its deadline is `minutes` ahead. */
async function reportDead(minutes: number): Promise<string> {
	origin.faultForever(NAME, LINK_EXPIRED);
	return scene.report(presign(), { expireTime: scene.clock.now() + minutes * MINUTE });
}

describe("a dead link", () => {
	it("is renewed by who has a new one, and its video is kept", async () => {
		const stream = await reportDead(60);
		const [reported] = await scene.history(stream);
		const { requests } = startWith(() => {
			origin.faultForever(NAME, undefined);
			return { downloadUrl: origin.presign(NAME, scene.clock.now() + 2 * HOUR) };
		});
		const history = await scene.until(stream, "RecordingArchived");
		expect(typesOf(history)).toEqual(["RecordingReported", "LinkRenewed", "RecordingArchived"]);
		expect(history[1]).toMatchObject({
			data: { reopens: false },
			metadata: { ingress: "archiver", causationId: reported?.id },
		});
		expect(requests).toMatchObject([{ stream, reason: "dead", trackInfo: "track-1" }]);
	});

	it("by its deadline is renewed before its origin is asked in vain", async () => {
		const stream = await scene.report(presign());
		scene.clock.shift(2 * HOUR);
		const { requests } = startWith(renewed);
		await scene.until(stream, "RecordingArchived");
		expect(requests).toMatchObject([{ reason: "dying" }]);
		expect(origin.requests(NAME)).toBe(1);
	});

	it("is renewed too when its origin refuses it for another reason", async () => {
		const stream = await scene.report(presign().replace(/Signature=.{6}/, "Signature=AAAAAA"));
		const { requests } = startWith(renewed);
		await scene.until(stream, "RecordingArchived");
		expect(requests).toMatchObject([{ reason: "dead" }]);
	});

	it("costs its recording when there is no new one", async () => {
		const stream = await reportDead(60);
		const { requests } = startWith(none);
		const history = await scene.until(stream, "LinkExpired");
		expect(typesOf(history)).toEqual(["RecordingReported", "LinkExpired"]);
		expect(history.at(-1)?.data).toMatchObject({ cause: "refused" });
		expect(requests).toHaveLength(1);
	});

	it("costs its recording, too, when the new one is the old one", async () => {
		const link = presign();
		origin.faultForever(NAME, LINK_EXPIRED);
		const stream = await scene.report(link);
		startWith(() => ({ downloadUrl: link }));
		expect(typesOf(await scene.until(stream, "LinkExpired"))).not.toContain("LinkRenewed");
	});

	it("is reopened by a callback with a new one, after nobody else had any", async () => {
		const stream = await reportDead(60);
		startWith(none);
		await scene.until(stream, "LinkExpired");
		origin.faultForever(NAME, undefined);
		expect(await scene.report(origin.presign(NAME, scene.clock.now() + 2 * HOUR))).toBe(stream);
		const history = await scene.until(stream, "RecordingArchived");
		expect(typesOf(history).slice(1)).toEqual(["LinkExpired", "LinkRenewed", "RecordingArchived"]);
		expect(history[2]?.data).toMatchObject({ reopens: true });
	});
});

describe("a dead link whose refresher fails", () => {
	it.each<readonly [string, number, Answer]>([
		["rejects", 1, () => Promise.reject(new Error("the service is down"))],
		["gives a link to another object", 2, () => ({ downloadUrl: presign("other.mp4") })],
		["gives what is no link", 2, () => ({ downloadUrl: "file:///etc/passwd" })],
	])("waits, is shown, and is asked for again once a minute: it %s", async (_what, perMinute, answer) => {
		const stream = await reportDead(5);
		const { requests, archiver } = startWith(answer);
		const history = await scene.until(stream, "ArchiveAttemptFailed");
		expect(history.at(-1)?.data).toMatchObject({ reason: "refresher", tried: true });
		for (let minutes = 1; minutes <= 3; minutes += 1) {
			// For a reason each, the link being both dying and dead, unless the first is answered by nobody.
			await eventually(() => requests.length === minutes * perMinute);
			const before = origin.requests(NAME);
			// The origin is asked on, after short delays; the refresher is not.
			await eventually(() => origin.requests(NAME) > before + 2);
			expect(requests).toHaveLength(minutes * perMinute);
			scene.clock.shift(MINUTE);
		}
		expect((await archiver.check()).map(({ message }) => message).join()).toContain(
			"the link refresher failed",
		);
		expect(typesOf(await scene.history(stream))).not.toContain("LinkRenewed");
	});

	it("is kept as soon as the refresher works again", async () => {
		const stream = await reportDead(60);
		let isDown = true;
		const { requests } = startWith(() => {
			if (isDown) throw new Error("the service is down");
			origin.faultForever(NAME, undefined);
			return { downloadUrl: origin.presign(NAME, scene.clock.now() + 3 * HOUR) };
		});
		await scene.until(stream, "ArchiveAttemptFailed");
		isDown = false;
		scene.clock.shift(MINUTE);
		await scene.until(stream, "RecordingArchived");
		expect(requests).toHaveLength(2);
	});

	it("rests when its time and a day are over, and no earlier", async () => {
		const stream = await reportDead(5);
		const { requests } = startWith(() => Promise.reject(new Error("the service is down")));
		await scene.until(stream, "ArchiveAttemptFailed");
		for (const minutes of [14, 23 * 60]) {
			const before = requests.length;
			scene.clock.shift(minutes * MINUTE);
			await eventually(() => requests.length === before + 1);
			await pause();
			expect(typesOf(await scene.history(stream))).not.toContain("LinkExpired");
		}
		scene.clock.shift(51 * MINUTE);
		const history = await scene.until(stream, "LinkExpired");
		expect(history.at(-1)?.data).toMatchObject({ cause: "deadline" });
		expect(requests).toHaveLength(4);
	});

	it("is kept, too, when that was once, long after its deadline", async () => {
		const stream = await reportDead(60);
		scene.clock.shift(6 * HOUR);
		let isFirst = true;
		startWith(() => {
			if (!isFirst) origin.faultForever(NAME, undefined);
			else {
				isFirst = false;
				throw new Error("503");
			}
			return renewed();
		});
		await scene.until(stream, "ArchiveAttemptFailed");
		scene.clock.shift(MINUTE);
		await scene.until(stream, "RecordingArchived");
	});

	it("is not said to be lost when everything stops while it is asked about", async () => {
		for (const graceMs of [10 * MINUTE, 0]) {
			const stream = await scene.report(presign(), { trackInfo: `grace-${graceMs}` });
			origin.faultForever(NAME, LINK_EXPIRED);
			const asked: string[] = [];
			const refresher: LinkRefresher = {
				refresh: ({ reason }, { signal }) =>
					new Promise((resolve) => {
						asked.push(reason);
						signal.addEventListener("abort", () => resolve(undefined));
					}),
			};
			const archiver = start({ refresher }, { retry: { ...QUICK, graceMs } });
			await eventually(() => asked.length > 0);
			await archiver.stop();
			expect(typesOf(await scene.history(stream))).toEqual(["RecordingReported"]);
		}
	});

	it("waits no longer than 30 seconds for one that never answers, and others are kept meanwhile", async () => {
		origin.put("dead.mp4", new Uint8Array(7));
		origin.faultForever("dead.mp4", LINK_EXPIRED);
		const dead = await scene.report(presign("dead.mp4"), { trackInfo: "dead" });
		const { requests, archiver } = startWith(() => new Promise(() => undefined));
		await eventually(() => requests.length === 1);
		const other = await scene.report(presign());
		await scene.until(other, "RecordingArchived");
		expect(typesOf(await scene.history(dead))).toEqual(["RecordingReported"]);
		scene.clock.shift(30_000);
		const history = await scene.until(dead, "ArchiveAttemptFailed");
		expect(history.at(-1)?.data).toMatchObject({ reason: "refresher" });
		scene.clock.shift(MINUTE);
		await eventually(() => requests.length === 2);
		// It is under way again: whoever stops does not wait for it.
		await archiver.stop();
	});
});

it("a refresher that hangs holds up no link that lives for longer than 30 seconds", async () => {
	origin.put("live.mp4", new Uint8Array(7));
	for (let serial = 0; serial < 40; serial += 1)
		await scene.report(presign(), { trackInfo: `dead-${serial}` });
	const live = await scene.report(origin.presign("live.mp4", scene.clock.now() + 3 * HOUR), {
		trackInfo: "live",
		expireTime: scene.clock.now() + 3 * HOUR,
	});
	scene.clock.shift(2 * HOUR);
	const { requests } = startWith(() => new Promise(() => undefined));
	await eventually(() => requests.length > 0);
	await pause();
	scene.clock.shift(30_000);
	await eventually(async () => (await scene.history(live)).length > 1);
	// One for each place at the start; then nobody for a minute, and then one at a time.
	const before = requests.length;
	expect(before).toBeLessThanOrEqual(8);
	scene.clock.shift(MINUTE);
	await eventually(() => requests.length > before);
	await pause();
	expect(requests).toHaveLength(before + 1);
});

it("a disk that is full for longer than many links live uses up none of them", async () => {
	const disk = { freeBytes: 0 };
	const videoStore: VideoStore = { ...scene.videoStore, freeBytes: async () => disk.freeBytes };
	const link = () => origin.presign(NAME, scene.clock.now() + 15 * MINUTE);
	const stream = await scene.report(link(), { expireTime: scene.clock.now() + 15 * MINUTE });
	const { requests } = startWith(() => ({ downloadUrl: link() }), { videoStore });
	await scene.until(stream, "ArchiveAttemptFailed");
	for (let quarters = 0; quarters < 20; quarters += 1) {
		const before = origin.requests(NAME);
		scene.clock.shift(15 * MINUTE);
		await eventually(() => origin.requests(NAME) > before);
	}
	expect(requests).toEqual([]);
	disk.freeBytes = Number.MAX_SAFE_INTEGER;
	scene.clock.shift(10 * MINUTE);
	await scene.until(stream, "RecordingArchived");
	expect(requests).toMatchObject([{ reason: "dead" }]);
});

describe("a dying link", () => {
	it("is renewed ten minutes before its deadline, once a try has failed, and not earlier", async () => {
		origin.faultForever(NAME, BROKEN);
		const stream = await scene.report(presign());
		const { requests } = startWith(() => {
			origin.faultForever(NAME, undefined);
			return { downloadUrl: origin.presign(NAME, scene.clock.now() + 2 * HOUR) };
		});
		await scene.until(stream, "ArchiveAttemptFailed");
		scene.clock.shift(49 * MINUTE);
		const before = origin.requests(NAME);
		await eventually(() => origin.requests(NAME) > before + 1);
		expect(requests).toEqual([]);
		scene.clock.shift(MINUTE + 5_000);
		const history = await scene.until(stream, "RecordingArchived");
		expect(requests).toMatchObject([{ reason: "dying" }]);
		const links = history.flatMap((event) => ("deadline" in event.data ? [event.data.deadline.at] : []));
		expect((links[1] ?? 0) - (links[0] ?? 0)).toBeGreaterThan(HOUR);
	});

	it("is asked for its video all the same when there is no new one", async () => {
		origin.fault(NAME, BROKEN);
		const stream = await scene.report(presign(), { expireTime: scene.clock.now() + 5 * MINUTE });
		const { requests } = startWith(none);
		expect(typesOf(await scene.until(stream, "RecordingArchived"))).not.toContain("LinkRenewed");
		expect(requests).toMatchObject([{ reason: "dying" }]);
	});

	it("of which there is no new one is asked for again once it is dead", async () => {
		const stream = await reportDead(60);
		scene.clock.shift(HOUR + 5 * MINUTE);
		const reasons: string[] = [];
		const refresher: LinkRefresher = {
			async refresh({ reason }) {
				reasons.push(reason);
				if (reason === "dying") return undefined;
				origin.faultForever(NAME, undefined);
				return renewed();
			},
		};
		start({ refresher });
		await scene.until(stream, "RecordingArchived");
		expect(reasons).toEqual(["dying", "dead"]);
	});

	it("is tried all the same when its new one cannot be sealed", async () => {
		origin.fault(NAME, BROKEN);
		const stream = await scene.report(presign(), { expireTime: scene.clock.now() + 5 * MINUTE });
		const seal = () => Promise.reject(keyringFault("unavailable", "no key"));
		const { requests } = startWith(renewed, { keyring: { ...scene.keyring, seal } });
		expect(typesOf(await scene.until(stream, "RecordingArchived"))).not.toContain("LinkRenewed");
		expect(requests).toMatchObject([{ reason: "dying" }]);
	});

	it("that was never tried is tried first", async () => {
		const stream = await scene.report(presign(), { expireTime: scene.clock.now() + MINUTE });
		const { requests } = startWith(renewed);
		await scene.until(stream, "RecordingArchived");
		expect(requests).toEqual([]);
	});

	it("does not cost its recording because who might renew it fails: the next try may be the good one", async () => {
		origin.fault(NAME, BROKEN, BROKEN);
		const stream = await scene.report(presign(), { expireTime: scene.clock.now() + 5 * MINUTE });
		startWith(() => Promise.reject(new Error("the service is down")));
		const reasons = (await scene.until(stream, "RecordingArchived")).flatMap((event) =>
			event.type === "ArchiveAttemptFailed" ? [event.data.reason] : [],
		);
		expect(reasons).toEqual(["failed", "failed"]);
	});
});

it("nothing of a refresher's link is said in the log, in events or in check()", async () => {
	const said: string[] = [];
	const hear = (level: keyof Logger) => (details: object, message: string) => {
		said.push(`${message} ${JSON.stringify(details)}`);
		scene.logger[level](details, message);
	};
	const logger: Logger = {
		trace: hear("trace"),
		debug: hear("debug"),
		info: hear("info"),
		warn: hear("warn"),
		error: hear("error"),
	};
	const links = [presign("other.mp4"), presign()];
	const stream = await reportDead(60);
	const fresh = origin.presign(NAME, scene.clock.now() + 2 * HOUR);
	let calls = 0;
	const { archiver } = startWith(
		() => {
			calls += 1;
			if (calls === 1) throw new Error(`not now: ${fresh}`);
			if (calls === 3) origin.faultForever(NAME, undefined);
			return { downloadUrl: calls === 2 ? (links[0] ?? "") : fresh };
		},
		{ logger },
	);
	for (let times = 1; times <= 3; times += 1) {
		await eventually(() => calls === times);
		for (const { message } of await archiver.check()) said.push(message);
		scene.clock.shift(MINUTE);
	}
	said.push(JSON.stringify(await scene.until(stream, "RecordingArchived")));
	expect(calls).toBe(3);
	expect(said.length).toBeGreaterThan(3);
	for (const link of [...links, fresh]) {
		for (const secret of ["Signature", "OSSAccessKeyId"]) {
			const value = new URL(link).searchParams.get(secret) ?? "?";
			expect(said.join("\n")).not.toContain(value);
			expect(said.join("\n")).not.toContain(encodeURIComponent(value));
		}
	}
});
