import { createMemoryKeyring } from "@reelkeep/core";
import { storeFault, type VideoSource, type VideoUnavailable } from "@reelkeep/core/ports";
import { createRecordingScene, type RecordingScene } from "@reelkeep/harness/recording-scene";
import { beforeEach, describe, expect, it } from "vitest";
import { type ArchiveDeps, type AttemptOptions, archiveRecording } from "./archive-recording.js";
import { createBlockWriters } from "./block-writer.js";
import { createDiskSpace } from "./disk-space.js";
import { createPendingSet } from "./pending-set.js";
import type { AskForLink, RefreshAnswer } from "./refresh-link.js";
import { DEFAULT_RETRY_POLICY } from "./retry.js";

const LINK = "http://bucket.aliyuncs.com/720p.mp4?Expires=99999999999&Signature=s3cret";
const HOUR = 3_600_000;

let scene: RecordingScene;
let asked: string[];

beforeEach(() => {
	scene = createRecordingScene();
	asked = [];
});

/** Answers each link by the reason that its `#` names, else by the first. */
function answering(...reasons: readonly VideoUnavailable["reason"][]): VideoSource {
	return {
		async open(link) {
			const reason = reasons[asked.length] ?? "failed";
			asked.push(link);
			return { _tag: "Unavailable", reason, message: `it is ${reason}` };
		},
	};
}

async function* noBytes(): AsyncIterable<Uint8Array> {}

const defaults = (): ArchiveDeps => ({
	...scene,
	source: answering(),
	random: () => 0.5,
	retryPolicy: DEFAULT_RETRY_POLICY,
	space: createDiskSpace(scene.videoStore),
	blocks: createBlockWriters(),
	askForLink: async () => "None",
});
const UNWATCHED = {
	signal: new AbortController().signal,
	watch: { opened: () => true, received: () => undefined },
	isDying: false,
};

async function attempt(deps: Partial<ArchiveDeps> = {}, options: Partial<AttemptOptions> = {}) {
	const set = createPendingSet(() => undefined);
	for await (const event of scene.store.readAll()) set.apply(event);
	const [pending] = [...set.all()];
	if (pending === undefined) throw new Error("nothing is pending");
	const result = await archiveRecording({ ...defaults(), ...deps }, pending, { ...UNWATCHED, ...options });
	const events = await scene.history(pending.stream);
	return { result, last: events.at(-1), stream: pending.stream };
}

describe("archiveRecording", () => {
	it("rejects with the event store's fault, for then nothing can be said", async () => {
		await scene.report(LINK);
		const append = () => Promise.reject(storeFault("io", "disk"));
		await expect(attempt({ store: { ...scene.store, append } })).rejects.toMatchObject({
			_tag: "StoreFault",
		});
	});

	it("stays pending when the video store cannot say what it keeps, and asks no origin", async () => {
		await scene.report(LINK);
		const stat = () => Promise.reject(storeFault("io", "the disk is gone"));
		const { result, last } = await attempt({ videoStore: { ...scene.videoStore, stat } });
		expect(result).toMatchObject({ _tag: "Deferred", failure: { reason: "storage" } });
		expect(last?.data).toMatchObject({ reason: "storage", message: "the disk is gone" });
		expect(asked).toEqual([]);
	});

	it("stays pending, also behind the deadline, while the key of its link is missing", async () => {
		await scene.report(LINK);
		scene.clock.shift(24 * HOUR);
		const { result } = await attempt({ keyring: createMemoryKeyring() });
		expect(result).toMatchObject({ _tag: "Deferred", failure: { reason: "sealed" } });
		expect(asked).toEqual([]);
	});

	it("stays pending behind the deadline when of several links one was never really tried", async () => {
		await scene.report(LINK);
		const { open } = scene.keyring;
		let opened = 0;
		const damaged = () => Promise.reject(new Error("damaged"));
		const keyring = {
			...scene.keyring,
			open: (sealed: string, context: string) => (opened++ === 0 ? damaged() : open(sealed, context)),
		};
		await scene.report(`${LINK}2`);
		scene.clock.shift(2 * HOUR);
		const { result } = await attempt({ keyring, source: answering("failed") });
		expect(asked).toEqual([LINK]);
		expect(result).toMatchObject({
			_tag: "Deferred",
			failure: { reason: "sealed", message: "the keyring failed" },
		});
	});

	it("asks for an older link only when the newest itself is refused", async () => {
		await scene.report(LINK);
		await scene.report(`${LINK}2`);
		expect((await attempt({ source: answering("busy") })).last?.type).toBe("ArchiveAttemptFailed");
		expect(asked).toEqual([`${LINK}2`]);
		asked = [];
		const { result } = await attempt({ source: answering("expired", "failed") });
		expect(result).toMatchObject({ _tag: "Deferred", failure: { reason: "failed", attempt: 2 } });
		expect(asked).toEqual([`${LINK}2`, LINK]);
		asked = [];
		expect((await attempt({ source: answering("expired", "expired") })).last?.type).toBe("LinkExpired");
	});

	it("records what is ours to mend once, and again when it becomes something else", async () => {
		await scene.report(LINK);
		const failures = async () => {
			asked = [];
			const { stream } = await attempt({ source: answering("not-allowed") });
			const events = await scene.history(stream);
			return events.filter(({ type }) => type === "ArchiveAttemptFailed").length;
		};
		expect([await failures(), await failures()]).toEqual([1, 1]);
		const { result } = await attempt({ keyring: createMemoryKeyring() });
		expect(result).toMatchObject({ _tag: "Deferred", failure: { reason: "sealed" } });
		expect(await failures()).toBe(3);
	});

	it("gives every link its turn before time ends a recording", async () => {
		await scene.report(LINK);
		await scene.report(`${LINK}2`);
		scene.clock.shift(2 * HOUR);
		const { last } = await attempt({ source: answering("failed", "failed") });
		expect(asked).toHaveLength(2);
		expect(last).toMatchObject({ type: "LinkExpired", data: { cause: "deadline" } });
	});

	it("says nothing when a new link comes in while the last one is refused", async () => {
		await scene.report(LINK);
		const renewing: VideoSource = {
			async open() {
				await scene.report(`${LINK}2`);
				return { _tag: "Unavailable", reason: "expired", message: "it is expired" };
			},
		};
		const { result, last } = await attempt({ source: renewing });
		expect(result).toEqual({ _tag: "Overtaken" });
		expect(last?.type).toBe("LinkRenewed");
	});

	it("leaves a recording alone that came to rest meanwhile", async () => {
		await scene.report(LINK);
		const set = createPendingSet(() => undefined);
		for await (const event of scene.store.readAll()) set.apply(event);
		await attempt({ source: answering("expired") });
		const [pending] = [...set.all()];
		if (pending === undefined) throw new Error("nothing is pending");
		const result = await archiveRecording(defaults(), pending, UNWATCHED);
		expect(result).toEqual({ _tag: "Rested", state: "expired", links: [pending.newestLink] });
		expect(asked).toHaveLength(1);
	});

	it("keeps every word of a link out of what it records", async () => {
		await scene.report(LINK);
		await attempt({ source: answering("refused") });
		for await (const event of scene.store.readAll()) expect(JSON.stringify(event)).not.toContain("s3cret");
	});
});

describe("a new link is asked for", () => {
	let reasons: string[];
	const answer =
		(given: RefreshAnswer): AskForLink =>
		async (_pending, _recording, { reason }) => {
			reasons.push(reason);
			return given;
		};
	const dying = { isDying: true };
	const fullDisk = () => createDiskSpace({ freeBytes: async () => 0 }, 0);
	const sending: VideoSource = {
		open: async () => ({ _tag: "Opened", offset: 0, totalBytes: 9, checksums: {}, body: noBytes() }),
	};

	beforeEach(async () => {
		reasons = [];
		await scene.report(LINK);
	});

	it.each([["dying"], ["dead"]])(
		"in vain when all stops: of one that is %s nothing is said",
		async (reason) => {
			const deps = { askForLink: answer("Stopped"), source: answering("expired") };
			const { result, last } = await attempt(deps, { isDying: reason === "dying" });
			expect(result).toEqual({ _tag: "Stopped" });
			expect(last?.type).toBe("RecordingReported");
			expect(reasons).toEqual([reason]);
		},
	);

	it("in vain, and the dying one is tried all the same", async () => {
		await attempt({ askForLink: answer("Failed") }, dying);
		expect(reasons).toEqual(["dying"]);
		expect(asked).toEqual([LINK]);
	});

	it("for a dying one, but not while an obstacle of ours would let it die as well", async () => {
		await attempt({ source: answering("not-allowed") });
		asked = [];
		await attempt({ askForLink: answer("Renewed") }, dying);
		expect(reasons).toEqual([]);
		expect(asked).toEqual([LINK]);
	});

	it("for a dying one that cannot be opened: a new one can be", async () => {
		await attempt({ keyring: createMemoryKeyring() });
		const { result } = await attempt({ askForLink: answer("Renewed") }, dying);
		expect(result).toEqual({ _tag: "Overtaken" });
		expect(reasons).toEqual(["dying"]);
	});

	it("for a dead one once the disk is no longer full, and until then it waits for the disk", async () => {
		const full = { space: fullDisk(), askForLink: answer("Renewed") };
		expect((await attempt({ ...full, source: sending })).last?.data).toMatchObject({ reason: "storage" });
		scene.clock.shift(2 * HOUR);
		for (let times = 0; times < 2; times += 1) {
			asked = [];
			const { result, stream } = await attempt({ ...full, source: answering("expired") }, dying);
			expect(result).toMatchObject({ _tag: "Deferred", failure: { reason: "storage" } });
			expect(await scene.history(stream)).toHaveLength(2);
		}
		expect(reasons).toEqual([]);
		asked = [];
		const { result } = await attempt({ askForLink: answer("Renewed"), source: answering("expired") }, dying);
		expect(result).toEqual({ _tag: "Overtaken" });
		expect(reasons).toEqual(["dead"]);
	});

	it("for a dead one not while the store cannot even say whether it has room", async () => {
		await attempt({ space: fullDisk(), source: sending });
		const freeBytes = () => Promise.reject(storeFault("io", "the disk is gone"));
		const deps = { space: createDiskSpace({ freeBytes }), askForLink: answer("Renewed") };
		const { result } = await attempt({ ...deps, source: answering("expired") });
		expect(result).toMatchObject({ failure: { reason: "storage", message: "the disk is gone" } });
		expect(reasons).toEqual([]);
	});
});
