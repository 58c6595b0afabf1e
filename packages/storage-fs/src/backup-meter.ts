// Counts what a backup has done, tells of it, and ends it when it is asked to.

/** *Units*: bytes of log and videos. */
export interface BackupProgress {
	/** Copied, or found to be there already. */
	readonly doneBytes: number;
	/** What the copy will have when it is whole, as far as is known. */
	readonly totalBytes: number;
}

export interface Meter {
	/** Bytes that were copied. Throws the signal's reason. */
	copied(bytes: number): void;
	/** Bytes that were there already. Throws the signal's reason. */
	present(bytes: number): void;
	/** Throws the signal's reason. */
	check(): void;
	readonly doneBytes: number;
	readonly copiedBytes: number;
}

export function createMeter(
	totalBytes: number,
	options: {
		readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
		readonly signal?: AbortSignal | undefined;
	},
): Meter {
	const { onProgress, signal } = options;
	let doneBytes = 0;
	let copiedBytes = 0;
	const check = () => signal?.throwIfAborted();
	const add = (bytes: number) => {
		doneBytes += bytes;
		// Videos come while the store runs.
		onProgress?.({ doneBytes, totalBytes: Math.max(totalBytes, doneBytes) });
		check();
	};
	return {
		copied(bytes) {
			copiedBytes += bytes;
			add(bytes);
		},
		present: add,
		check,
		get doneBytes() {
			return doneBytes;
		},
		get copiedBytes() {
			return copiedBytes;
		},
	};
}
