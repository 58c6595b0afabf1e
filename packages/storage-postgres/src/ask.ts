import { toFault } from "./postgres-fault.js";
import type { PostgresClient, Row, Statement } from "./postgres-pool.js";

/** The rows of the answer. `doing`: what it is for, as a gerund. *Errors*: rejects with a `StoreFault`. */
export async function ask(
	client: PostgresClient,
	statement: Statement,
	doing: string,
): Promise<readonly Row[]> {
	try {
		return (await client.query(statement)).rows;
	} catch (error) {
		throw toFault(error, doing);
	}
}
