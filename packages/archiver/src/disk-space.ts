// Is there room for a video? What is under way has its place already, though its bytes are not there yet.

import type { VideoStore } from "@reelkeep/core/ports";

/** Left free for the event log, which must not stop for a video's sake. */
export const DEFAULT_RESERVE_BYTES = 256 * 1024 * 1024;

/** Set aside at a time for a video whose length nobody states; one without an end stops this close to the reserve. */
export const STEP_BYTES = 64 * 1024 * 1024;

export interface DiskSpace {
	/**
	 * Reserves room for `bytes` more of a video; `undefined`: nobody knows how many, and it gets its room step by step.
	 * *Errors*: rejects with the store's `StoreFault`.
	 */
	reserve(bytes: number | undefined): Promise<Room | Short>;
}

/** What one video was promised. */
export interface Room {
	readonly _tag: "Reserved";
	/**
	 * Asked before `bytes` more are written: where fewer are left, reserves another step. `Short`: they have to stay away.
	 * *Errors*: rejects with the store's `StoreFault`.
	 */
	makeRoom(bytes: number): Promise<Short | undefined>;
	/** `bytes` of it are on the disk by now. */
	used(bytes: number): void;
	/** Nothing more will come. Idempotent. */
	release(): void;
}

/** There is no room, for this video or (`isFull`) for any. */
export interface Short {
	readonly _tag: "Short";
	readonly isFull: boolean;
	readonly message: string;
}

/** Thrown where a download ends because it is `Short` of room. */
export class NoRoom extends Error {
	readonly isFull: boolean;

	constructor({ isFull, message }: Short) {
		super(message);
		this.isFull = isFull;
	}
}

/** Watches the space of `store`; `reserveBytes` of it are left alone. */
export function createDiskSpace(
	store: Pick<VideoStore, "freeBytes">,
	reserveBytes = DEFAULT_RESERVE_BYTES,
): DiskSpace {
	let promised = 0;
	let written = 0;
	const take = async (bytes: number, what: string): Promise<Short | undefined> => {
		const writtenBefore = written;
		const freeBytes = (await store.freeBytes()) ?? Number.POSITIVE_INFINITY;
		// What was written meanwhile may be among the free bytes still, and is promised no more.
		const usable = freeBytes - reserveBytes - promised - (written - writtenBefore);
		if (bytes <= usable) {
			promised += bytes;
			return undefined;
		}
		const isFull = usable <= 0;
		const message = isFull
			? `the disk is full: only the reserve of ${reserveBytes} bytes is left (reserveBytes)`
			: `the disk has no room for a video that takes ${what}: ${usable} are free beyond the reserve (reserveBytes)`;
		return { _tag: "Short", isFull, message };
	};
	const takeStep = (bytes: number): Promise<Short | undefined> =>
		take(bytes, `an unknown number of bytes more, for which ${bytes} are set aside at a time`);
	const createRoom = (bytes: number): Room => {
		let left = bytes;
		const settle = (settled: number): void => {
			const part = Math.min(settled, left);
			left -= part;
			promised -= part;
		};
		return {
			_tag: "Reserved",
			async makeRoom(wanted) {
				if (wanted <= left) return undefined;
				const step = Math.max(wanted, STEP_BYTES);
				const short = await takeStep(step);
				if (short === undefined) left += step;
				return short;
			},
			used(bytesMore) {
				written += bytesMore;
				settle(bytesMore);
			},
			release: () => settle(left),
		};
	};
	return {
		async reserve(bytes) {
			const short = await (bytes === undefined ? takeStep(STEP_BYTES) : take(bytes, `${bytes} bytes more`));
			return short ?? createRoom(bytes ?? STEP_BYTES);
		},
	};
}
