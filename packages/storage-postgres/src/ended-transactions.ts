/** More than can have been under way when one began that is answered now, of one process. */
const MOST = 256;

/** Transactions that are known to have ended: the server need not be asked about those. */
export class EndedTransactions {
	#server = "";
	readonly #ids = new Set<bigint>();

	/** `server`: when it was started. Another one may give the id to another transaction. */
	add(server: string, transaction: bigint): void {
		if (server !== this.#server) this.#ids.clear();
		this.#server = server;
		this.#ids.add(transaction);
		if (this.#ids.size <= MOST) return;
		for (const oldest of this.#ids) {
			this.#ids.delete(oldest);
			return;
		}
	}

	has(server: string, transaction: bigint): boolean {
		return server === this.#server && this.#ids.has(transaction);
	}
}
