import { describe, expect, test } from "vitest";
import { Chronicle } from "./chronicle.js";
import { type FaultRates, NO_FAULTS } from "./faults.js";
import { Machine, type SimulatedProcess } from "./machine.js";
import type { Dice } from "./power-cut.js";
import { createRandom } from "./random.js";
import { SimulatedDisk } from "./simulated-disk.js";

const CUTS = 300;

describe("after a power cut", () => {
	test("what was synced is there, whatever the dice say", () => {
		const disk = new SimulatedDisk();
		write(disk, "/log", "synced", 0);
		disk.fileAt("/log").sync(disk.now());
		disk.syncDirectory("/", disk.now());
		expect(contentsAfterCuts(disk, "/log")).toEqual(new Set(["synced"]));
	});

	test("what was not synced may be lost, whole, torn, or there with zeros in front of it or behind", () => {
		const found = contentsAfterCuts(withUnsynced("0123456789"), "/log");
		expect(found).toContain("synced");
		expect(found).toContain("synced0123456789");
		expect([...found].some((text) => /^synced0\d{0,7}$/.test(text))).toBe(true);
		expect([...found].some((text) => /^synced\0+$/.test(text))).toBe(true);
		expect([...found].some((text) => /^synced\0+\d+$/.test(text))).toBe(true);
		expect([...found].every((text) => text.startsWith("synced"))).toBe(true);
	});

	test("a write of several sectors may miss any of them", () => {
		const found = contentsAfterCuts(withUnsynced("x".repeat(2000)), "/log");
		expect([...found].some((text) => /x\0{512}x/.test(text))).toBe(true);
	});

	test("a later write may be there without an earlier one, and an older one in the place of a newer", () => {
		const disk = withUnsynced("aaaa");
		write(disk, "/log", "bbbb", 10);
		write(disk, "/log", "cccc", 6);
		const found = contentsAfterCuts(disk, "/log");
		expect(found).toContain("synced\0\0\0\0bbbb");
		expect(found).toContain("syncedaaaabbbb");
		expect(found).toContain("syncedccccbbbb");
	});

	test("a file that was shortened is that short or as long as before", () => {
		const disk = withUnsynced("");
		disk.fileAt("/log").truncate(disk.now(), 2);
		expect(contentsAfterCuts(disk, "/log")).toEqual(new Set(["sy", "synced"]));
	});

	test("this moment can be cut again: the disk itself has not changed", () => {
		const disk = withUnsynced("0123456789");
		contentsAfterCuts(disk, "/log");
		expect(text(disk, "/log")).toBe("synced0123456789");
	});
});

describe("a sync", () => {
	test("covers what was written before it began, and the length that the file had then", () => {
		const disk = withUnsynced("before");
		const began = disk.now();
		write(disk, "/log", "after", 12);
		disk.fileAt("/log").sync(began);
		const found = contentsAfterCuts(disk, "/log");
		expect([...found].every((text) => text.startsWith("syncedbefore"))).toBe(true);
		expect(found).toContain("syncedbefore");
		expect(found).toContain("syncedbeforeafter");
	});

	test("that failed leaves its bytes readable, and no later one writes them; but the length is written", () => {
		const disk = withUnsynced("failed");
		const file = disk.fileAt("/log");
		file.failSync();
		file.sync(disk.now());
		expect(text(disk, "/log")).toBe("syncedfailed");
		const found = contentsAfterCuts(disk, "/log");
		expect(found).toContain("synced\0\0\0\0\0\0");
		expect([...found].every((text) => text.length === 12 && text.startsWith("synced"))).toBe(true);
	});

	test("writes what was written again after one that failed", () => {
		const disk = withUnsynced("failed");
		const file = disk.fileAt("/log");
		file.failSync();
		write(disk, "/log", "failed", 6);
		file.sync(disk.now());
		expect(contentsAfterCuts(disk, "/log")).toEqual(new Set(["syncedfailed"]));
	});

	test("that failed does not let older bytes win over what was synced later", () => {
		const disk = withUnsynced("failed");
		const file = disk.fileAt("/log");
		file.failSync();
		write(disk, "/log", "wins", 6);
		file.sync(disk.now());
		expect([...contentsAfterCuts(disk, "/log")].every((text) => text.startsWith("syncedwins"))).toBe(true);
	});
});

describe("a name", () => {
	test("that was made is durable only once its directory is synced, though the file is", () => {
		const disk = new SimulatedDisk();
		write(disk, "/made", "synced", 0);
		disk.fileAt("/made").sync(disk.now());
		expect(namesAfterCuts(disk)).toEqual(new Set(["", "made"]));
		disk.syncDirectory("/", disk.now());
		expect(namesAfterCuts(disk)).toEqual(new Set(["made"]));
	});

	test("that was made after a directory's sync began is not covered", () => {
		const disk = new SimulatedDisk();
		const began = disk.now();
		disk.createFile("/late");
		disk.syncDirectory("/", began);
		expect(namesAfterCuts(disk)).toEqual(new Set(["", "late"]));
	});

	test("that was moved is the old one or the new one, never both or none", () => {
		const disk = withUnsynced("");
		write(disk, "/log.new", "newer", 0);
		disk.fileAt("/log.new").sync(disk.now());
		disk.syncDirectory("/", disk.now());
		disk.rename("/log.new", "/log");
		expect(contentsAfterCuts(disk, "/log")).toEqual(new Set(["synced", "newer"]));
		expect(namesAfterCuts(disk)).toEqual(new Set(["log", "log,log.new"]));
	});

	test("that was removed may come back", () => {
		const disk = withUnsynced("");
		disk.unlink("/log");
		expect(namesAfterCuts(disk)).toEqual(new Set(["", "log"]));
	});

	test("in a directory whose own name is lost is lost too", () => {
		const disk = new SimulatedDisk();
		disk.makeDirectory("/in");
		disk.createFile("/in/file");
		disk.syncDirectory("/in", disk.now());
		expect(namesAfterCuts(disk)).toEqual(new Set(["", "in"]));
		const found = cuts(disk).map((after) => (after.has("/in") ? after.list("/in").join() : "none"));
		expect(new Set(found)).toEqual(new Set(["none", "file"]));
	});

	test("leads to one file when two lead to it", () => {
		const disk = withUnsynced("");
		disk.link("/log", "/other");
		disk.syncDirectory("/", disk.now());
		write(disk, "/other", "S", 0);
		expect(text(disk, "/log")).toBe("Synced");
		for (const after of cuts(disk)) expect(text(after, "/log")).toBe(text(after, "/other"));
	});

	test.each([
		["ENOENT", (disk: SimulatedDisk) => disk.fileAt("/missing")],
		["ENOENT", (disk: SimulatedDisk) => disk.createFile("/missing/file")],
		["ENOENT", (disk: SimulatedDisk) => disk.rename("/missing", "/log")],
		["EEXIST", (disk: SimulatedDisk) => disk.createFile("/log")],
		["EEXIST", (disk: SimulatedDisk) => disk.link("/log", "/log")],
		["ENOTDIR", (disk: SimulatedDisk) => disk.list("/log")],
		["EISDIR", (disk: SimulatedDisk) => disk.fileAt("/")],
	])("answers with the system's code %s", (code, work) => {
		const disk = withUnsynced("");
		expect(() => work(disk)).toThrow(expect.objectContaining({ code }));
	});
});

describe("the file system in front of the disk", () => {
	test("does what is asked of it, in an order that the seed chooses", async () => {
		const orders = new Set<string>();
		for (let seed = 1; seed <= 20; seed += 1) {
			const { machine, process } = start(seed);
			const file = await finish(machine, process.fileSystem.open("/log", "replace"));
			const writes = ["a", "b", "c"].map((letter) => file.write(Buffer.from(letter), 0));
			await finish(machine, Promise.all(writes));
			orders.add(text(machine.disk, "/log"));
		}
		expect(orders).toEqual(new Set(["a", "b", "c"]));
	});

	test("reads less than was asked for, now and then", async () => {
		const { machine, process } = start(1, { ...NO_FAULTS, shortReads: 0.5 });
		const file = await finish(machine, process.fileSystem.open("/log", "replace"));
		await finish(machine, file.write(Buffer.from("0123456789"), 0));
		const counts = new Set<number>();
		for (let made = 0; made < 50; made += 1)
			counts.add(await finish(machine, file.read(Buffer.alloc(10), 0)));
		expect(counts).toContain(10);
		expect(Math.min(...counts)).toBeGreaterThan(0);
		expect(counts.size).toBeGreaterThan(3);
	});

	test("fails before, midway and after a write", async () => {
		const left = new Set<number>();
		for (let seed = 1; seed <= 60; seed += 1) {
			const { machine, process } = start(seed, { ...NO_FAULTS, calls: { write: 1 } });
			const file = await finish(machine, process.fileSystem.open("/log", "replace"));
			await expect(finish(machine, file.write(Buffer.from("0123456789"), 0))).rejects.toMatchObject({
				code: expect.stringMatching(/^E[A-Z]+$/),
			});
			left.add(machine.disk.fileAt("/log").length);
		}
		expect(left).toContain(0);
		expect(left).toContain(10);
		expect(left.size).toBeGreaterThan(3);
	});

	test("tells every handle of a failed sync once, and another that was opened later not at all", async () => {
		const { machine, process } = start(1);
		const open = () => finish(machine, process.fileSystem.open("/log", "replace"));
		const [first, second] = [await open(), await open()];
		machine.disk.fileAt("/log").failSync();
		const later = await open();
		await expect(finish(machine, first.datasync())).rejects.toMatchObject({ code: "EIO" });
		await finish(machine, first.datasync());
		await expect(finish(machine, second.datasync())).rejects.toMatchObject({ code: "EIO" });
		await finish(machine, later.datasync());
	});

	test("never answers a process that was killed, and does what it had asked for or not", async () => {
		const lengths = new Set<number>();
		for (let seed = 1; seed <= 20; seed += 1) {
			const { machine, process } = start(seed);
			const file = await finish(machine, process.fileSystem.open("/log", "replace"));
			let isAnswered = false;
			const answered = (): void => {
				isAnswered = true;
			};
			file.write(Buffer.from("0123456789"), 0).then(answered, answered);
			machine.kill(process);
			file.write(Buffer.from("0123456789"), 10).then(answered, answered);
			expect(await machine.scheduler.step()).toBe(false);
			expect(isAnswered).toBe(false);
			lengths.add(machine.disk.fileAt("/log").length);
		}
		expect(lengths).toEqual(new Set([0, 10]));
	});

	test("reports a reader that writes, and whoever uses a file that it has closed", async () => {
		const { machine, process } = start(1);
		const file = await finish(machine, process.fileSystem.open("/log", "replace"));
		await finish(machine, file.close());
		expect(machine.chronicle.violation).toBeUndefined();
		await finish(machine, file.status());
		expect(machine.chronicle.violation).toMatch("uses log after it closed it");
		const other = start(1);
		const reader = other.machine.startProcess("reader", "reader");
		await finish(other.machine, reader.fileSystem.makeDirectory("/made"));
		expect(other.machine.chronicle.violation).toMatch("which only reads, changes the disk");
	});
});

/** `/log`, of which `synced` is durable and `rest` is not. */
function withUnsynced(rest: string): SimulatedDisk {
	const disk = new SimulatedDisk();
	write(disk, "/log", "synced", 0);
	disk.fileAt("/log").sync(disk.now());
	disk.syncDirectory("/", disk.now());
	write(disk, "/log", rest, 6);
	return disk;
}

function write(disk: SimulatedDisk, path: string, content: string, offset: number): void {
	const file = disk.has(path) ? disk.fileAt(path) : disk.createFile(path);
	file.write(disk.now(), Buffer.from(content), offset);
}

function text(disk: SimulatedDisk, path: string): string {
	const file = disk.fileAt(path);
	const bytes = Buffer.alloc(file.length);
	file.read(bytes, 0);
	return bytes.toString("latin1");
}

function cuts(disk: SimulatedDisk): readonly SimulatedDisk[] {
	const dice: Dice = { random: createRandom(1), count: () => undefined };
	return Array.from({ length: CUTS }, () => disk.afterPowerCut(dice));
}

function contentsAfterCuts(disk: SimulatedDisk, path: string): ReadonlySet<string> {
	return new Set(cuts(disk).map((after) => text(after, path)));
}

function namesAfterCuts(disk: SimulatedDisk): ReadonlySet<string> {
	return new Set(cuts(disk).map((after) => after.list("/").toSorted().join()));
}

function start(seed: number, rates: FaultRates = NO_FAULTS): { machine: Machine; process: SimulatedProcess } {
	const machine = new Machine({
		disk: new SimulatedDisk(),
		chronicle: new Chronicle(),
		random: createRandom(seed),
		rates,
		lateReplies: 0,
	});
	return { machine, process: machine.startProcess("process", "owner") };
}

/** Lets the machine run until `work` is done. */
async function finish<T>(machine: Machine, work: Promise<T>): Promise<T> {
	let isDone = false;
	const done = (): void => {
		isDone = true;
	};
	work.then(done, done);
	while (!isDone) await machine.scheduler.step();
	return work;
}
