import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createNodeFileSystem } from "./node-file-system.js";
import { temporaryDirectory } from "./test-disk.js";

const O_DSYNC = 0o10000;
const isLinux = process.platform === "linux";

/** The flags of every descriptor of this process that is open on `path`. */
function flagsOf(path: string): readonly number[] {
	return readdirSync("/proc/self/fd").flatMap((descriptor) => {
		try {
			if (readlinkSync(`/proc/self/fd/${descriptor}`) !== path) return [];
			const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"));
			return [Number.parseInt(flags?.[1] ?? "", 8)];
		} catch {
			return []; // The one by which the directory was read is closed again.
		}
	});
}

async function fileOf(content: string): Promise<string> {
	const path = join(await temporaryDirectory(), "file");
	await writeFile(path, content);
	return path;
}

test.skipIf(!isLinux)("a file that is written through is opened so that each write is a sync", async () => {
	const fileSystem = createNodeFileSystem();
	const path = await fileOf("");
	const through = await fileSystem.open(path, "write-through");
	expect(flagsOf(path).map((flags) => flags & O_DSYNC)).toEqual([O_DSYNC]);
	await through.close();
	const update = await fileSystem.open(path, "update");
	expect(flagsOf(path).map((flags) => flags & O_DSYNC)).toEqual([0]);
	await update.close();
});

test("a file that is written through is read, written and cut like any other", async () => {
	const path = await fileOf("0123456789");
	const file = await createNodeFileSystem().open(path, "write-through");
	await file.write(Buffer.from("abc"), 8);
	await file.datasync();
	expect(readFileSync(path, "utf8")).toBe("01234567abc");
	await file.truncate(4);
	await file.datasync();
	const read = Buffer.alloc(8);
	expect(await file.read(read, 1)).toBe(3);
	expect(read.toString("latin1", 0, 3)).toBe("123");
	expect(await file.status()).toMatchObject({ bytes: 4 });
	await file.close();
	await expect(createNodeFileSystem().open(`${path}.missing`, "write-through")).rejects.toMatchObject({
		code: "ENOENT",
	});
});

test.skipIf(!isLinux)(
	"what another has left in a file is synced, although nothing was written through",
	async () => {
		const pipe = join(await temporaryDirectory(), "pipe");
		execFileSync("mkfifo", [pipe]);
		const file = await createNodeFileSystem().open(pipe, "write-through");
		// A pipe cannot be synced: who says so has tried.
		await expect(file.datasync()).rejects.toMatchObject({ code: "EINVAL" });
		await file.close();
	},
);

test.skipIf(!isLinux)("a write through that failed has failed as a sync, again and again", async () => {
	const pipe = join(await temporaryDirectory(), "pipe");
	execFileSync("mkfifo", [pipe]);
	const file = await createNodeFileSystem().open(pipe, "write-through");
	// A pipe has no places to write at.
	await file.write(Buffer.from("x"), 0);
	await expect(file.datasync()).rejects.toMatchObject({ code: "ESPIPE" });
	await expect(file.datasync()).rejects.toMatchObject({ code: "ESPIPE" });
	await file.close();
});

test.skipIf(!isLinux)("a full disk is told at the write, so that it can be undone", async () => {
	const file = await createNodeFileSystem().open("/dev/full", "write-through");
	await expect(file.write(Buffer.from("x"), 0)).rejects.toMatchObject({ code: "ENOSPC" });
	await file.close();
});
