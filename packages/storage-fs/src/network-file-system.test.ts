import { expect, test } from "vitest";
import { createFsEventStore } from "./event-store.js";
import { networkKind } from "./network-file-system.js";
import { createNodeFileSystem } from "./node-file-system.js";
import { scriptedDisk, temporaryDirectory } from "./test-disk.js";
import { clock, newEvent, openStore, rejection, soleOwnership } from "./test-store.js";

/** The machine's disk, that says it were NFS. */
function nfs() {
	return { ...createNodeFileSystem(), networkFileSystem: async () => "NFS" };
}

test("a network file system is told by its number, which may come as a negative one", () => {
	expect(networkKind(0x6969)).toBe("NFS");
	expect(networkKind(0xff534d42)).toBe("CIFS");
	expect(networkKind(0xff534d42 | 0)).toBe("CIFS");
	for (const local of [0xef53, 0x9123683e, 0x58465342, 0x01021994, 0x794c7630]) {
		expect(networkKind(local)).toBeUndefined();
	}
});

test("this machine's temporary directory is local", async () => {
	expect(await createNodeFileSystem().networkFileSystem(await temporaryDirectory())).toBeUndefined();
});

test("a store on one is refused at the start, before anything is written, in words", async () => {
	const disk = scriptedDisk(nfs());
	const directory = await temporaryDirectory();
	const store = createFsEventStore({
		directory,
		clock,
		fileSystem: disk.fileSystem,
		ownership: soleOwnership,
	});
	expect(await rejection(store.open())).toMatchObject({
		reason: "io",
		retryable: false,
		message: expect.stringMatching(/network file system \(NFS\).*--allow-network-file-system/),
	});
	await store.close();
	expect(disk.trace.filter(({ operation }) => operation === "write" || operation === "open")).toEqual([]);
});

test("a store on one opens where that is allowed", async () => {
	const store = await openStore(await temporaryDirectory(), {
		fileSystem: nfs(),
		allowNetworkFileSystem: true,
	});
	expect(await store.append("a", [newEvent()], "no-stream")).toMatchObject({ _tag: "Appended" });
});
