// Projections of a whole Reelkeep, kept in a data directory.

import type { ProjectionDefinition } from "@reelkeep/core";
import { createReelkeep, silentLogger } from "@reelkeep/core/container";
import type { Logger } from "@reelkeep/core/ports";
import { expect, onTestFinished, test } from "vitest";
import { type FsStorageOptions, fsStorage } from "./plugin.js";
import { temporaryDirectory } from "./test-disk.js";
import { newEvent } from "./test-store.js";

/** How many events there are of each type, and how many were folded in this process. */
function counting() {
	const folded = { count: 0 };
	const definition: ProjectionDefinition<number> = {
		name: "count",
		version: 1,
		initialState: () => 0,
		evolve: (count) => count,
		evolveUnknown(count) {
			folded.count += 1;
			return count + 1;
		},
		codec: { toJson: (count) => count, fromJson: Number },
	};
	return { folded, definition };
}

async function started(options: FsStorageOptions, logger: Logger = silentLogger) {
	const reelkeep = createReelkeep({ plugins: [fsStorage(options)], logger });
	onTestFinished(() => reelkeep.stop());
	await reelkeep.start();
	return reelkeep;
}

test("a projection goes on where the last process stopped, in the same directory", async () => {
	const directory = await temporaryDirectory();
	const first = await started({ directory });
	await first.store.append("s", [newEvent(), newEvent(), newEvent()], "any");
	const [before, after] = [counting(), counting()];
	await first.project(before.definition).whenCaughtUp();
	await first.stop();
	const second = await started({ directory });
	await second.store.append("s", [newEvent()], "any");
	const projection = second.project(after.definition);
	await projection.whenCaughtUp();
	expect(projection.state()).toBe(4);
	expect([before.folded.count, after.folded.count]).toEqual([3, 1]);
});

test("a state beyond maxSnapshotBytes is folded anew at each start, and that is logged", async () => {
	const directory = await temporaryDirectory();
	const logged: object[] = [];
	const warn = (details: object): void => void logged.push(details);
	const options = { directory, maxSnapshotBytes: 10 };
	const first = await started(options, { ...silentLogger, warn });
	await first.store.append("s", [newEvent()], "any");
	await first.project(counting().definition).whenCaughtUp();
	await first.stop();
	expect(logged).toMatchObject([{ projection: "count", maxBytes: 10 }]);
	const { folded, definition } = counting();
	await (await started(options)).project(definition).whenCaughtUp();
	expect(folded.count).toBe(1);
	await expect(started({ directory: await temporaryDirectory(), maxSnapshotBytes: 0 })).rejects.toThrow(
		"maxSnapshotBytes",
	);
});
