// The bytes of a file, which grow and shrink; a gap reads as zeros.

const FIRST_CAPACITY = 1024;

export class Content {
	/** Zeros from `#length` on. */
	#buffer: Buffer;
	#length: number;

	constructor(bytes: Uint8Array = Buffer.alloc(0)) {
		this.#buffer = Buffer.from(bytes);
		this.#length = bytes.byteLength;
	}

	get length(): number {
		return this.#length;
	}

	write(bytes: Uint8Array, offset: number): void {
		this.#reserve(offset + bytes.byteLength);
		this.#buffer.set(bytes, offset);
		this.#length = Math.max(this.#length, offset + bytes.byteLength);
	}

	/** Shortens, or lengthens with zeros. */
	truncate(length: number): void {
		this.#reserve(length);
		if (length < this.#length) this.#buffer.fill(0, length, this.#length);
		this.#length = length;
	}

	/** Fills `target` from `offset` on; returns how many bytes there were. */
	read(target: Uint8Array, offset: number): number {
		const end = Math.min(this.#length, offset + target.byteLength);
		if (end <= offset) return 0;
		target.set(this.#buffer.subarray(offset, end));
		return end - offset;
	}

	/** A copy of all of it. */
	bytes(): Buffer {
		return Buffer.from(this.#buffer.subarray(0, this.#length));
	}

	#reserve(capacity: number): void {
		if (capacity <= this.#buffer.byteLength) return;
		const larger = Buffer.alloc(Math.max(FIRST_CAPACITY, capacity, this.#buffer.byteLength * 2));
		larger.set(this.#buffer.subarray(0, this.#length));
		this.#buffer = larger;
	}
}
