import "reflect-metadata/lite";
import { describe, expect, test } from "vitest";
import { createMemorySnapshotStore } from "../memory/snapshot-store.js";
import { type Plugin, SNAPSHOT_STORE } from "../ports/index.js";
import type { ProjectionDefinition } from "../projection.js";
import { recordingsProjection } from "../recordings-model.js";
import { compose, memoryWithout, report, started } from "./test-reelkeep.js";

const tracks: ProjectionDefinition<readonly string[]> = {
	name: "tracks",
	version: 1,
	initialState: () => [],
	evolve: (known, event) => (event.type === "RecordingReported" ? [...known, event.data.trackInfo] : known),
	codec: { toJson: (known) => known, fromJson: (json) => json as readonly string[] },
};
const { codec, ...unsaved } = tracks;

describe("projecting", () => {
	test("folds what is there and what comes, and saves it when Reelkeep stops, where the next start goes on", async () => {
		const snapshots = createMemorySnapshotStore();
		const keeping: Plugin = {
			name: "keeping",
			provides: [SNAPSHOT_STORE],
			needs: [],
			register: (registry) => registry.provide(SNAPSHOT_STORE, () => snapshots),
		};
		const reelkeep = await started({ plugins: [memoryWithout(SNAPSHOT_STORE), keeping] });
		await reelkeep.receive(report("one"));
		const projection = reelkeep.project(tracks);
		await projection.whenCaughtUp();
		expect(projection.state()).toEqual(["one"]);
		await reelkeep.receive(report("two"));
		await projection.whenCaughtUp();
		expect(projection.state()).toEqual(["one", "two"]);
		await reelkeep.stop();
		await projection.ended;
		expect(await snapshots.load("tracks")).toMatchObject({
			version: 1,
			state: ["one", "two"],
			position: "2",
		});
	});

	test("passes on how often it saves", async () => {
		const reelkeep = await started();
		await reelkeep.receive(report());
		const projection = reelkeep.project(recordingsProjection, { saveEveryEvents: 1, saveEveryMs: 0 });
		await projection.whenCaughtUp();
		await expect.poll(() => reelkeep.get(SNAPSHOT_STORE).load("recordings")).toMatchObject({ position: "1" });
		expect(() => reelkeep.project(tracks, { saveEveryEvents: 0 })).toThrow("saveEveryEvents");
	});

	test("throws and says what to do unless Reelkeep runs", async () => {
		const reelkeep = compose();
		const project = () => reelkeep.project(tracks);
		expect(project).toThrow("project once Reelkeep runs: await reelkeep.start() first");
		await reelkeep.start();
		await project().stop();
		await reelkeep.stop();
		expect(project).toThrow("this Reelkeep was stopped: nothing can be projected any more");
	});

	test("says who could provide the snapshot store that it misses; without a codec it needs none", async () => {
		const reelkeep = await started({ plugins: [memoryWithout(SNAPSHOT_STORE)] });
		await reelkeep.receive(report());
		expect(() => reelkeep.project(tracks)).toThrow(
			/nothing provides SnapshotStore, which projection tracks needs; add fsStorage\(\)/,
		);
		expect(codec).toBeDefined();
		const projection = reelkeep.project(unsaved);
		await projection.whenCaughtUp();
		expect(projection.state()).toEqual(["track"]);
	});

	test("refuses a second owner of a name while the first runs, also beside a subscription of that name", async () => {
		const reelkeep = await started();
		const subscription = reelkeep.subscribe("tracks", async () => undefined);
		const first = reelkeep.project(tracks);
		expect(() => reelkeep.project(tracks)).toThrow(
			"there is a projection tracks already; each name has one snapshot and one owner",
		);
		await first.stop();
		await reelkeep.project(tracks).whenCaughtUp();
		expect(subscription.problem()).toBeUndefined();
	});

	test("that stops makes the health say so, until the name is started again", async () => {
		const reelkeep = await started();
		await reelkeep.receive(report());
		const broken = (): never => {
			throw new Error("a mistake");
		};
		const projection = reelkeep.project({ ...tracks, evolve: broken });
		await expect(projection.ended).rejects.toMatchObject({ _tag: "ProjectionError" });
		expect(await reelkeep.health.check()).toEqual([
			{
				source: "projections",
				message: expect.stringContaining("projection tracks stopped at position 1"),
				severity: "degraded",
			},
		]);
		await reelkeep.project(tracks).whenCaughtUp();
		expect(await reelkeep.health.check()).toEqual([]);
	});

	test("goes on until the handlers of subscriptions are done, who may wait for it", async () => {
		const reelkeep = await started();
		const projection = reelkeep.project(tracks);
		let tell = (): void => undefined;
		const begun = new Promise<void>((resolve) => {
			tell = resolve;
		});
		let go = (): void => undefined;
		const stopped = new Promise<void>((resolve) => {
			go = resolve;
		});
		const seen: unknown[] = [];
		reelkeep.subscribe("mail", async () => {
			tell();
			await stopped;
			await reelkeep.receive(report("late"));
			await projection.whenCaughtUp();
			seen.push(projection.state());
		});
		await reelkeep.receive(report("early"));
		await begun;
		const stopping = reelkeep.stop();
		go();
		await stopping;
		expect(seen).toEqual([["early", "late"]]);
	});
});
