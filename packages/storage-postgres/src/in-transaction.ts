import { toFault } from "./postgres-fault.js";
import type { PostgresClient, PostgresPool } from "./postgres-pool.js";

/** Commits what `work` did, or nothing. `doing`: as a gerund. *Errors*: rejects with a `StoreFault`. */
export async function inTransaction<Result>(
	pool: PostgresPool,
	doing: string,
	work: (client: PostgresClient) => Promise<Result>,
): Promise<Result> {
	let isBroken = true;
	try {
		const client = await pool.connect();
		// The pool listens to those that nobody has: without a listener a lost connection would end the process.
		const onError = (): void => undefined;
		client.on("error", onError);
		try {
			await client.query({ text: "BEGIN" });
			try {
				const result = await work(client);
				await client.query({ text: "COMMIT" });
				isBroken = false;
				return result;
			} catch (error) {
				await client.query({ text: "ROLLBACK" });
				isBroken = false;
				throw error;
			}
		} finally {
			// A connection that broke may tell of it later.
			if (!isBroken) client.removeListener("error", onError);
			client.release(isBroken);
		}
	} catch (error) {
		throw toFault(error, doing);
	}
}
