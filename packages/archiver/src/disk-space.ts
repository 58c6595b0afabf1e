// Is there room for a video? What is under way has its place already, though its bytes are not there yet.

import type { VideoStore } from "@reelkeep/core/ports";

/** Left free for the event log, which must not stop for a video's sake. */
export const DEFAULT_RESERVE_BYTES = 256 * 1024 * 1024;

export interface DiskSpace {
	/**
	 * Reserves room for `bytes` more of a video. `Short`: there is none, for this video or (`isFull`) for any.
	 * *Errors*: rejects with the store's `StoreFault`.
	 */
	reserve(bytes: number): Promise<Reservation>;
}

export type Reservation =
	| {
			readonly _tag: "Reserved";
			/** `bytes` of it are on the disk by now. */
			used(bytes: number): void;
			/** Nothing more will come. Idempotent. */
			release(): void;
	  }
	| { readonly _tag: "Short"; readonly isFull: boolean; readonly message: string };

/** Watches the space of `store`; `reserveBytes` of it are left alone. */
export function createDiskSpace(
	store: Pick<VideoStore, "freeBytes">,
	reserveBytes = DEFAULT_RESERVE_BYTES,
): DiskSpace {
	let promised = 0;
	return {
		async reserve(bytes) {
			const freeBytes = await store.freeBytes();
			const usable = (freeBytes ?? Number.POSITIVE_INFINITY) - reserveBytes - promised;
			if (bytes > usable) {
				const isFull = usable <= 0;
				return {
					_tag: "Short",
					isFull,
					message: isFull
						? `the disk is full: only the reserve of ${reserveBytes} bytes is left (reserveBytes)`
						: `the disk has no room for a video that takes ${bytes} bytes more: ${usable} are free beyond the reserve (reserveBytes)`,
				};
			}
			let left = bytes;
			promised += bytes;
			const settle = (settled: number): void => {
				const part = Math.min(settled, left);
				left -= part;
				promised -= part;
			};
			return { _tag: "Reserved", used: settle, release: () => settle(left) };
		},
	};
}
