// The reader in Python that docs/event-log-format.md speaks of agrees with ours, on every event and on what is refused.

import { spawnSync } from "node:child_process";
import { appendFile, readFile, truncate, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { RecordedEvent } from "@reelkeep/core/ports";
import { describe, expect, test } from "vitest";
import { segmentPath } from "./log-files.js";
import { repairFsStorage } from "./repair.js";
import { temporaryDirectory, unsyncedDisk } from "./test-disk.js";
import { clock, collect, newEvent, openStore, soleOwnership } from "./test-store.js";

const READER = fileURLToPath(new URL("../test/log_reader.py", import.meta.url));
const PYTHON = "/usr/bin/python3";
const hasPython = spawnSync(PYTHON, ["--version"]).status === 0;
const isSkipped = !hasPython && process.env.CI === undefined;
const fileSystem = unsyncedDisk();

function readWithPython(directory: string) {
	const { status, stdout, stderr } = spawnSync(PYTHON, [READER, directory], {
		encoding: "utf8",
		maxBuffer: 256 * 1024 * 1024,
	});
	const events = stdout
		.split("\n")
		.slice(0, -1)
		.map((line) => JSON.parse(line) as RecordedEvent);
	return { status, events, stderr };
}

async function filledLog(directory: string): Promise<readonly RecordedEvent[]> {
	const store = await openStore(directory, { fileSystem, segmentBytes: 16 * 1024 });
	const notes = [
		"游戏é🎮",
		"\ud800",
		'a"b\\c',
		"line\nbreak\u2028",
		{ deep: [1.5, null, {}] },
		"x".repeat(30_000),
	];
	for (let at = 0; at < 600; at += 20) {
		const appends = Array.from({ length: 20 }, (_, of) => {
			const turn = at + of;
			const events = Array.from({ length: (turn % 4) + 1 }, (_, of) =>
				newEvent(notes[(turn + of) % notes.length]),
			);
			return store.append(turn % 9 === 0 ? `s"\\${turn % 5}` : `s-${turn % 50}`, events, "any");
		});
		await Promise.all(appends);
	}
	const all = await collect(store.readAll());
	await store.close();
	return all;
}

describe.skipIf(isSkipped)(
	`the reader in Python${isSkipped ? ` (skipped: there is no ${PYTHON})` : ""}`,
	() => {
		test("agrees on every event, over many segments", async () => {
			const directory = await temporaryDirectory();
			const all = await filledLog(directory);
			const { status, events } = readWithPython(directory);
			expect(status).toBe(0);
			expect(all.length).toBe(1500);
			expect(events).toEqual(all);
		});

		test("leaves a torn tail alone, refuses damage and reads what was repaired", async () => {
			const directory = await temporaryDirectory();
			const all = await filledLog(directory);
			let last = 1;
			while (await readFile(segmentPath(directory, last + 1)).catch(() => undefined)) last += 1;
			await appendFile(segmentPath(directory, last), '{"position":"1501","remaining":0');
			expect(readWithPython(directory).events).toEqual(all);

			const third = await readFile(segmentPath(directory, 3));
			const damagedAt = third.indexOf("\n", 2000) + 1;
			third.fill("?", damagedAt + 10, damagedAt + 20);
			await writeFile(segmentPath(directory, 3), third);
			await truncate(segmentPath(directory, 2), 5000);
			const refused = readWithPython(directory);
			expect(refused.status).toBe(1);
			expect(refused.stderr).toContain("is damaged");

			await repairFsStorage({ directory, clock, fileSystem, ownership: soleOwnership });
			const store = await openStore(directory, { fileSystem });
			const left = await collect(store.readAll());
			await store.close();
			const again = readWithPython(directory);
			expect(again.stderr).toBe("");
			expect(again.events).toEqual(left);
			expect(left.length).toBeGreaterThan(500);
		});
	},
);
