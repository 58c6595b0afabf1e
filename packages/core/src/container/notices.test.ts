import "reflect-metadata/lite";
import { container } from "tsyringe";
import { describe, expect, test } from "vitest";
import { memoryStorage } from "../memory/plugin.js";
import { silentLogger } from "../observe.js";
import type { ArchiveProgress, Get, Notice, Notices, Plugin } from "../ports/index.js";
import { NOTICES } from "../ports/tokens.js";
import { compose, started } from "./test-reelkeep.js";

const progress = (stream: string): ArchiveProgress => ({
	type: "archiveProgress",
	stream,
	host: "bucket.example.com",
	phase: "started",
	bytes: 0,
	bytesPerSecond: 0,
});

/** A plugin that tells something when it starts and when it stops, and keeps what it tells it by. */
function teller() {
	let notices: Notices | undefined;
	const plugin: Plugin = {
		name: "teller",
		provides: [],
		needs: [NOTICES],
		async start(get: Get) {
			notices = get(NOTICES);
			notices.emit(progress("at its start"));
		},
		async stop() {
			notices?.emit(progress("at its stop"));
		},
	};
	return { plugin, tell: (notice: Notice) => notices?.emit(notice) };
}

describe("the notices of a composed Reelkeep", () => {
	test("are what its plugins tell, from before the start until after the stop", async () => {
		const { plugin, tell } = teller();
		const reelkeep = compose({ plugins: [memoryStorage(), plugin] });
		const heard: string[] = [];
		reelkeep.notices.on("archiveProgress", ({ stream }) => heard.push(stream));
		reelkeep.notices.on("recordingAtRisk", ({ stream }) => heard.push(`${stream} at risk`));
		reelkeep.notices.once("archiveProgress", ({ stream }) => heard.push(`${stream} once`));
		await reelkeep.start();
		tell(progress("a"));
		const common = { stream: "b", host: "h", deadline: 1, message: "" };
		tell({ type: "recordingAtRisk", reason: "overload", ...common });
		await reelkeep.stop();
		expect(heard).toEqual(["at its start", "at its start once", "a", "b at risk", "at its stop"]);
	});

	test("are heard no more by who stopped listening, and by the others though one throws", async () => {
		const { plugin, tell } = teller();
		const errors: object[] = [];
		const logger = { ...silentLogger, error: (details: object) => void errors.push(details) };
		const reelkeep = await started({ plugins: [memoryStorage(), plugin], logger });
		const heard: string[] = [];
		const off = reelkeep.notices.on("archiveProgress", () => heard.push("first"));
		reelkeep.notices.on("archiveProgress", () => {
			throw new TypeError("nobody listens");
		});
		reelkeep.notices.on("archiveProgress", ({ stream }) => heard.push(stream));
		tell(progress("a"));
		off();
		tell(progress("b"));
		expect(heard).toEqual(["first", "a", "b"]);
		await new Promise((resolve) => setImmediate(resolve));
		expect(errors).toEqual(
			["a", "b"].map((stream) => ({ type: "archiveProgress", stream, error: "TypeError" })),
		);
	});

	test("are its own: two side by side do not hear each other, and all of one tell by the same", async () => {
		const [one, other] = [teller(), teller()];
		const heard: string[] = [];
		const [first, second] = await Promise.all(
			[one, other].map(({ plugin }) => started({ plugins: [memoryStorage(), plugin] })),
		);
		first?.notices.on("archiveProgress", ({ stream }) => heard.push(`first ${stream}`));
		second?.notices.on("archiveProgress", ({ stream }) => heard.push(`second ${stream}`));
		one.tell(progress("a"));
		second?.get(NOTICES).emit(progress("b"));
		expect(heard).toEqual(["first a", "second b"]);
		expect(first?.get(NOTICES)).toBe(first?.get(NOTICES));
	});

	test("go to what the user has registered instead, where there is something", async () => {
		const told: string[] = [];
		const mine: Notices = { emit: ({ stream }) => void told.push(stream) };
		const users = container.createChildContainer();
		users.register(NOTICES, { useValue: mine });
		const { plugin, tell } = teller();
		const reelkeep = await started({ container: users, plugins: [memoryStorage(), plugin] });
		expect(reelkeep.get(NOTICES)).toBe(mine);
		tell(progress("a"));
		expect(told).toEqual(["at its start", "a"]);
	});
});
