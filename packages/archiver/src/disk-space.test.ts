import { storeFault } from "@reelkeep/core/ports";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDiskSpace, DEFAULT_RESERVE_BYTES, type Room, type Short, STEP_BYTES } from "./disk-space.js";

const RESERVE = 100;

/** A disk whose free bytes a test sets. */
function diskOf(freeBytes: number | undefined, reserveBytes = RESERVE) {
	const disk = { freeBytes };
	const space = createDiskSpace({ freeBytes: async () => disk.freeBytes }, reserveBytes);
	return { disk, reserve: space.reserve };
}

async function reserved(reservation: Promise<Room | Short>): Promise<Room> {
	const room = await reservation;
	if (room._tag !== "Reserved") throw new Error(room.message);
	return room;
}

describe("the space of a disk", () => {
	it("is promised to one download at a time", async () => {
		const { reserve } = diskOf(1_000);
		const first = await reserved(reserve(500));
		await reserved(reserve(400));
		expect(await reserve(1)).toMatchObject({ _tag: "Short", isFull: true });
		first.release();
		await reserved(reserve(500));
		expect(await reserve(1)).toMatchObject({ _tag: "Short" });
	});

	it("is promised once, also to those who ask at the same time", async () => {
		const { reserve } = diskOf(600);
		const rooms = await Promise.all([300, 300, 200].map(reserve));
		expect(rooms.map(({ _tag }) => _tag)).toEqual(["Reserved", "Short", "Reserved"]);
	});

	it("is not counted twice when bytes are on the disk by now", async () => {
		const { disk, reserve } = diskOf(1_000);
		const room = await reserved(reserve(600));
		disk.freeBytes = 600;
		room.used(400);
		await reserved(reserve(300));
		expect(await reserve(1)).toMatchObject({ _tag: "Short" });
	});

	it("is given back once, and never more than was promised", async () => {
		const { reserve } = diskOf(1_000);
		const room = await reserved(reserve(300));
		room.used(10_000);
		room.release();
		room.release();
		room.used(300);
		await reserved(reserve(900));
		expect(await reserve(1)).toMatchObject({ _tag: "Short" });
	});

	it("leaves the reserve alone: for an event log of 256 MiB where nobody says otherwise", async () => {
		const { reserve } = diskOf(1_000);
		expect(await reserve(901)).toMatchObject({ _tag: "Short", isFull: false });
		await reserved(reserve(900));
		const freeBytes = async () => DEFAULT_RESERVE_BYTES + 5;
		const usual = createDiskSpace({ freeBytes });
		expect(DEFAULT_RESERVE_BYTES).toBe(256 * 1024 * 1024);
		expect([await usual.reserve(6), await usual.reserve(5)]).toMatchObject([
			{ _tag: "Short" },
			{ _tag: "Reserved" },
		]);
	});

	it("is short for one video that is too large, and says so in its numbers", async () => {
		const room = await diskOf(150).reserve(51);
		expect(room).toMatchObject({ _tag: "Short", isFull: false });
		expect(room).toHaveProperty("message", expect.stringMatching(/51 bytes.*50 are free.*reserveBytes/));
	});

	it.each([100, 99, 0])("is full with %i bytes free, also for a video of unknown size", async (freeBytes) => {
		const { reserve } = diskOf(freeBytes);
		expect(await reserve(1)).toMatchObject({ _tag: "Short", isFull: true });
		const unknown = await reserve(0);
		if (freeBytes < RESERVE) expect(unknown).toMatchObject({ _tag: "Short", isFull: true });
		else expect(unknown).toMatchObject({ _tag: "Reserved" });
	});

	it("is there for everything where nobody knows how much it is", async () => {
		const { reserve } = diskOf(undefined);
		for (let times = 0; times < 3; times += 1) await reserved(reserve(Number.MAX_SAFE_INTEGER));
	});

	it("is promised step by step to a video of which nobody knows how long it is", async () => {
		const { disk, reserve } = diskOf(RESERVE + 3 * STEP_BYTES - 1);
		const room = await reserved(reserve(undefined));
		expect(await room.makeRoom(STEP_BYTES)).toBeUndefined();
		await reserved(reserve(2 * STEP_BYTES - 1)).then(({ release }) => release());
		room.used(STEP_BYTES);
		disk.freeBytes = RESERVE + 2 * STEP_BYTES - 1;
		expect(await room.makeRoom(1)).toBeUndefined();
		expect(await reserve(STEP_BYTES)).toMatchObject({ _tag: "Short", isFull: false });
		room.used(STEP_BYTES);
		disk.freeBytes = RESERVE + STEP_BYTES - 1;
		expect(await room.makeRoom(1)).toMatchObject({
			_tag: "Short",
			isFull: false,
			message: expect.stringMatching(/unknown number.*67108864.*67108863 are free.*reserveBytes/),
		});
		await reserved(reserve(STEP_BYTES - 1));
		expect(await room.makeRoom(1)).toMatchObject({ _tag: "Short", isFull: true });
	});

	it("is there for more than a step at once, and for what comes beyond a length that was stated", async () => {
		const { reserve } = diskOf(RESERVE + STEP_BYTES + 20);
		const room = await reserved(reserve(10));
		expect(await room.makeRoom(10)).toBeUndefined();
		expect(await room.makeRoom(STEP_BYTES + 11)).toMatchObject({ _tag: "Short" });
		expect(await room.makeRoom(STEP_BYTES + 10)).toBeUndefined();
		expect(await reserve(1)).toMatchObject({ _tag: "Short", isFull: true });
		room.release();
		await reserved(reserve(STEP_BYTES + 20));
	});

	it("is not promised again while it is written, though it was free when it was asked for", async () => {
		const disk = { freeBytes: 200 };
		let write = (): void => undefined;
		const freeBytes = async () => {
			const seen = disk.freeBytes;
			write();
			return seen;
		};
		const { reserve } = createDiskSpace({ freeBytes }, RESERVE);
		const room = await reserved(reserve(90));
		write = () => {
			disk.freeBytes -= 90;
			room.used(90);
		};
		expect(await reserve(11)).toMatchObject({ _tag: "Short" });
		write = () => undefined;
		await reserved(reserve(10));
	});

	it("that cannot be asked for rejects with the store's fault, and nothing is promised", async () => {
		let isBroken = true;
		const freeBytes = async () => {
			if (isBroken) throw storeFault("io", "the disk is gone");
			return 200;
		};
		const { reserve } = createDiskSpace({ freeBytes }, RESERVE);
		await expect(reserve(100)).rejects.toMatchObject({ _tag: "StoreFault", reason: "io" });
		isBroken = false;
		await reserved(reserve(100));
	});

	it("is never promised beyond what there is, whatever is written, given up and asked for", async () => {
		const steps = fc.array(
			fc.oneof(
				fc.record({ _tag: fc.constant("reserve" as const), bytes: fc.nat({ max: 400 }) }),
				fc.record({
					_tag: fc.constant("write" as const),
					at: fc.nat({ max: 5 }),
					bytes: fc.nat({ max: 90 }),
				}),
				fc.record({ _tag: fc.constant("release" as const), at: fc.nat({ max: 5 }) }),
			),
			{ maxLength: 40 },
		);
		await fc.assert(
			fc.asyncProperty(steps, async (script) => {
				const { disk, reserve } = diskOf(1_000);
				const free = (): number => disk.freeBytes ?? 0;
				const rooms: { room: Room; left: number }[] = [];
				for (const step of script) {
					if (step._tag === "reserve") {
						const promised = rooms.reduce((sum, { left }) => sum + left, 0);
						const room = await reserve(step.bytes);
						expect(room._tag).toBe(step.bytes <= free() - RESERVE - promised ? "Reserved" : "Short");
						if (room._tag === "Reserved") rooms.push({ room, left: step.bytes });
						continue;
					}
					const held = rooms[step.at];
					if (held === undefined) continue;
					if (step._tag === "release") {
						held.room.release();
						held.left = 0;
						continue;
					}
					const bytes = Math.min(step.bytes, held.left);
					disk.freeBytes = free() - bytes;
					held.room.used(bytes);
					held.left -= bytes;
					expect(free()).toBeGreaterThanOrEqual(RESERVE);
				}
			}),
		);
	});
});
