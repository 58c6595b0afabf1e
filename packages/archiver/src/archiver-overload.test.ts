import { createMemoryEventStore, createMemoryVideoStore, execute, sealLink } from "@reelkeep/core";
import type { LinkRefresher, Notice, RefreshRequest, VideoSource } from "@reelkeep/core/ports";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { createFakeClock } from "@reelkeep/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Archiver, type ArchiverOptions, createArchiver } from "./archiver.js";
import { planRescue } from "./rescue-plan.js";

const SECOND = 1_000;
/** Of the line, all downloads together. */
const RATE = 1_000;
const CHUNK = 100;

interface Video {
	readonly name: string;
	/** When its link dies, in seconds from the start. */
	readonly due: number;
	/** How long the line takes for it alone. */
	readonly seconds: number;
	/** When its origin really refuses it; the deadline, where nobody says otherwise. */
	readonly dies?: number;
}

const running: Archiver[] = [];
afterEach(async () => {
	vi.restoreAllMocks();
	for (const archiver of running.splice(0)) await archiver.stop();
});

/** A line that carries `RATE` and an archiver of all these videos, in a time that stands still until it is moved on. */
async function outage(first: readonly Video[], options: ArchiverOptions = {}, refresher?: LinkRefresher) {
	const clock = createFakeClock();
	const startedAt = clock.now();
	// Blocks wait for their bytes by this clock.
	vi.spyOn(performance, "now").mockImplementation(clock.now);
	const store = createMemoryEventStore({ clock });
	const ids = { next: () => crypto.randomUUID() };
	const keyring = { seal: async (text: string) => text, open: async (text: string) => text };
	const videos = new Map<string, Video>();
	const asked: string[] = [];
	const heard: Notice[] = [];
	let freeAt = startedAt;
	const send = async (bytes: number, signal: AbortSignal): Promise<void> => {
		freeAt = Math.max(freeAt, clock.now()) + (bytes * SECOND) / RATE;
		await clock.sleep(freeAt - clock.now(), signal);
	};
	const source: VideoSource = {
		async open(link, { offset = 0, signal }) {
			const { pathname, searchParams } = new URL(link);
			const video = videos.get(pathname);
			if (video === undefined) throw new Error(pathname);
			const dies = Number(searchParams.get("dies") ?? video.dies ?? video.due);
			if (clock.now() > startedAt + dies * SECOND) {
				return { _tag: "Unavailable", reason: "expired", message: "its time is over" };
			}
			asked.push(video.name);
			const totalBytes = video.seconds * RATE;
			const body = (async function* () {
				for (let at = offset; at < totalBytes; at += CHUNK) {
					await send(CHUNK, signal);
					if (signal.aborted) throw new Error("aborted");
					yield new Uint8Array(Math.min(CHUNK, totalBytes - at));
				}
			})();
			return { _tag: "Opened", offset, validator: video.name, totalBytes, checksums: {}, body };
		},
	};
	const report = async (more: readonly Video[]): Promise<void> => {
		for (const video of more) {
			const { name, due } = video;
			videos.set(`/${name}`, video);
			const [downloadUrl, object] = [`http://h.example/${name}`, `h.example/${name}`];
			const times = { expireTime: startedAt + due * SECOND, receivedAt: clock.now() };
			const link = await sealLink(keyring, name, { downloadUrl, ...times });
			const facts = {
				projectId: "p",
				trackInfo: name,
				object,
				gameId: "g",
				accountDomain: 0,
				accountId: "a",
			};
			const rest = { facts, link, version: 1, action: "", contentFingerprint: () => name };
			await execute({ store, ids }, name, { _tag: "ReportRecording", ...rest }, { metadata: {} });
		}
	};
	await report(first);
	const archiver = createArchiver(
		{
			store,
			source,
			keyring,
			clock,
			ids,
			videoStore: createMemoryVideoStore(),
			logger: transcribingLogger(),
			telemetry: { count: () => undefined, record: () => undefined },
			random: () => 0.5,
			notices: { emit: (notice) => void heard.push(notice) },
			...(refresher === undefined ? {} : { refresher }),
		},
		options,
	);
	running.push(archiver);
	archiver.start();
	const advance = async (seconds: number): Promise<void> => {
		for (let second = 0; second < seconds; second += 1) await clock.advance(SECOND);
	};
	/** In the order in which they were kept. */
	const kept = async (): Promise<readonly string[]> => {
		const streams: string[] = [];
		for await (const { type, stream } of store.readAll()) {
			if (type === "RecordingArchived") streams.push(stream);
		}
		return streams;
	};
	return { archiver, advance, asked, kept, heard, report };
}

/** How tries of `name` ended, and why it was at risk. */
const told = (heard: readonly Notice[], name: string): readonly string[] =>
	heard
		.filter(({ stream }) => stream === name)
		.flatMap((notice) => (notice.type === "recordingAtRisk" ? notice.reason : (notice.outcome ?? [])));
const dueOf = ({ due, seconds }: Video) => ({ dueAt: due * SECOND, bytes: seconds * RATE });
const byDue = (videos: readonly Video[]) => [...videos].sort((left, right) => left.due - right.due);

/** How many a line keeps that knew all sizes from the start. */
function ideal(videos: readonly Video[]): number {
	const { late } = planRescue(byDue(videos).map(dueOf), { now: 0, bytesPerSecond: RATE });
	return videos.length - late.size;
}

/** How many one keeps that takes them one by one in deadline order, each whose link still lives when its turn comes. */
function inDeadlineOrder(videos: readonly Video[]): number {
	let at = 0;
	return byDue(videos).filter(({ due, seconds }) => {
		if (at > due) return false;
		at += seconds;
		return true;
	}).length;
}

describe("under overload", () => {
	const small = Array.from({ length: 20 }, (_, at) => ({ name: `small-${at}`, due: 70 + at, seconds: 3 }));
	const large = { name: "large", due: 60, seconds: 100, dies: 900 };

	it("a large video is opened in its turn, gives way, is shown, and is kept when its link lives on", async () => {
		const { archiver, advance, asked, kept, heard } = await outage([large, ...small], { concurrency: 2 });
		await advance(30);
		expect(asked.slice(0, 2)).toEqual(["large", "small-0"]);
		expect((await kept()).slice(0, 2)).toEqual(["small-0", "small-1"]);
		const messages = (await archiver.check()).map(({ message }) => message);
		expect(messages).toEqual([expect.stringMatching(/at risk.*more bandwidth helps/)]);
		await advance(200);
		expect((await kept()).at(-1)).toBe("large");
		expect(told(heard, "large")).toEqual(expect.arrayContaining(["gaveway", "overload", "archived"]));
		expect(told(heard, "large").filter((what) => what === "overload")).toHaveLength(1);
		expect(await archiver.check()).toEqual([]);
	});

	it("one that gives way does not put those at risk that it gives way to", async () => {
		const { advance, asked, kept } = await outage([large, ...small], { concurrency: 2 });
		await advance(230);
		expect(await kept()).toHaveLength(21);
		expect(asked.length).toBeLessThan(30);
	});

	it("what is late is asked a new link for, and is kept with that", async () => {
		const requests: RefreshRequest[] = [];
		const refresher: LinkRefresher = {
			async refresh(request) {
				requests.push(request);
				if (request.stream !== "large") return undefined;
				const expireTime = request.deadline + 600 * SECOND;
				return { downloadUrl: "http://h.example/large?dies=900", expireTime };
			},
		};
		const videos = [{ ...large, dies: 60 }, ...small];
		const { archiver, advance, kept } = await outage(videos, { concurrency: 2 }, refresher);
		await advance(300);
		expect(await kept()).toContain("large");
		expect(requests).toContainEqual(expect.objectContaining({ stream: "large", reason: "dying" }));
		expect(await archiver.check()).toEqual([]);
	});

	it("many more are kept than in plain deadline order, and nearly all that could be", async () => {
		// As after an outage: every third one is large, and the line carries about half of it all.
		const videos = Array.from({ length: 60 }, (_, at) => ({
			name: `video-${at}`,
			due: 30 + ((at * 7_919) % 400),
			seconds: at % 3 === 0 ? 20 + (at % 7) * 4 : 2 + (at % 5),
		}));
		const { archiver, advance, kept } = await outage(videos, { concurrency: 4 });
		await advance(500);
		const count = (await kept()).length;
		expect(inDeadlineOrder(videos)).toBeLessThan(ideal(videos) * 0.7);
		expect(count).toBeGreaterThanOrEqual(Math.floor(ideal(videos) * 0.9));
		expect(await archiver.whenIdle()).toEqual({ archived: count, lost: 60 - count, waiting: 0 });
	});
});

describe("without overload", () => {
	it("nothing gives way, however large it is: each origin is asked once, the earliest deadline first", async () => {
		const videos = Array.from({ length: 8 }, (_, at) => ({
			name: `video-${at}`,
			due: 400 + 100 * at,
			seconds: at % 2 === 0 ? 60 : 2,
		}));
		const { advance, asked, kept, heard } = await outage([...videos].reverse(), { concurrency: 1 });
		await advance(300);
		expect(asked).toEqual(videos.map(({ name }) => name));
		expect(await kept()).toHaveLength(8);
		expect(heard.filter(({ type }) => type === "recordingAtRisk")).toEqual([]);
	});

	it("what is urgent is not put behind what is not, because a long download is under way", async () => {
		const long = { name: "long", due: 900, seconds: 200 };
		const urgent = Array.from({ length: 6 }, (_, at) => ({
			name: `urgent-${at}`,
			due: 120 + at,
			seconds: 3,
		}));
		const later = Array.from({ length: 30 }, (_, at) => ({ name: `later-${at}`, due: 800 + at, seconds: 3 }));
		const { advance, kept, report } = await outage([long], { concurrency: 2 });
		await advance(10);
		await report([...urgent, ...later]);
		await advance(600);
		expect(await kept()).toHaveLength(37);
	});
});
