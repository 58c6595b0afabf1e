/** More than can have been under way when one began that is answered now, of one process. */
const MOST = 256;

/** Transactions that are known to have ended, as the server counts them: it need not be asked about those. */
export class EndedTransactions {
	readonly #ids = new Set<bigint>();

	add(transaction: bigint): void {
		this.#ids.add(transaction);
		if (this.#ids.size <= MOST) return;
		for (const oldest of this.#ids) {
			this.#ids.delete(oldest);
			return;
		}
	}

	has(transaction: bigint): boolean {
		return this.#ids.has(transaction);
	}

	/** Another server may give the same numbers to other transactions. */
	clear(): void {
		this.#ids.clear();
	}
}
