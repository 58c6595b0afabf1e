// Gathers chunks into blocks for the store: a network's chunks are small, and each write costs the same. While one block is
// written the next one fills.

/** Of a download that is alone: as large as is still faster. */
const MAX_BLOCK_BYTES = 1024 * 1024;
/** What all downloads hold in blocks, two each, is about this; with 64 at once three times as much. */
const SHARED_BYTES = 12 * 1024 * 1024;
/** A slow video's bytes do not wait longer for their block to fill. */
const MAX_WAIT_MS = 200;

interface BlockWriter {
	/** Resolves when `chunk` may be changed, and more may come; rejects with what an earlier write rejected with. */
	add(chunk: Uint8Array): Promise<void>;
	/** Writes what is there. Resolves when all is written. */
	flush(): Promise<void>;
	/** Nothing more will come. Idempotent. */
	end(): void;
}

export interface BlockWriters {
	/** Makes a writer; `write` is called for one block after the other, each only when the one before is written. */
	begin(write: (block: Uint8Array) => Promise<void>): BlockWriter;
}

/** The more writers there are, the smaller are the blocks of the next. */
export function createBlockWriters(): BlockWriters {
	let writers = 0;
	return {
		begin(write) {
			writers += 1;
			const size = Math.floor(Math.min(MAX_BLOCK_BYTES, SHARED_BYTES / 2 / writers));
			let isOver = false;
			const end = (): void => {
				if (!isOver) writers -= 1;
				isOver = true;
			};
			return { ...createBlockWriter(write, size), end };
		},
	};
}

function createBlockWriter(
	write: (block: Uint8Array) => Promise<void>,
	size: number,
): Omit<BlockWriter, "end"> {
	let filling = Buffer.alloc(0);
	let spare = Buffer.alloc(0);
	let filled = 0;
	let startedAt = 0;
	let writing: Promise<void> = Promise.resolve();

	const send = async (): Promise<void> => {
		await writing;
		if (filled === 0) return;
		writing = write(filling.subarray(0, filled));
		// Told to who comes next; until then it is nobody's.
		writing.catch(() => undefined);
		[filling, spare] = [spare, filling];
		filled = 0;
	};
	return {
		async add(chunk) {
			// As good as a block: to copy it would cost more than to wait for it.
			if (filled === 0 && chunk.length >= size / 2) {
				await writing;
				await write(chunk);
				return;
			}
			for (let taken = 0; taken < chunk.length; ) {
				if (filling.length === 0) filling = Buffer.allocUnsafeSlow(size);
				if (filled === 0) startedAt = performance.now();
				const part = chunk.subarray(taken, taken + size - filled);
				filling.set(part, filled);
				filled += part.length;
				taken += part.length;
				if (filled === size) await send();
			}
			if (filled > 0 && performance.now() - startedAt > MAX_WAIT_MS) await send();
		},
		async flush() {
			await send();
			await writing;
		},
	};
}
