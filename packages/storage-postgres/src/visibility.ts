// When what was appended can be seen in the log: once every transaction that began earlier has ended.

import { withinTime } from "@reelkeep/core";
import type { Clock } from "@reelkeep/core/ports";
import { horizonTransactionOf } from "./horizon.js";
import type { PostgresPool } from "./postgres-pool.js";

/**
 * A transaction of somebody else's may stay open for hours: what is durable is answered all the same, and seen in the
 * log when that one ends.
 */
const MAX_WAIT_MS = 1_000;
const FIRST_PAUSE_MS = 1;
const MAX_PAUSE_MS = 50;

export type WhenVisible = (transaction: bigint) => Promise<void>;

interface Waiter {
	readonly transaction: bigint;
	readonly until: number;
	readonly resolve: () => void;
}

/** Asks the server for all who wait together. */
export function createVisibility(deps: {
	readonly pool: PostgresPool;
	readonly schema: string;
	readonly clock: Clock;
}): WhenVisible {
	const { pool, schema, clock } = deps;
	const text = `SELECT ${horizonTransactionOf(schema)} AS horizon`;
	let waiters: Waiter[] = [];
	let isAsking = false;

	const askHorizon = async (): Promise<bigint | undefined> => {
		try {
			const { rows } = await pool.query({ text });
			return BigInt(String(rows[0]?.horizon ?? 0));
		} catch {
			// Asked again until the waiting is over: what is waited for is durable, whatever becomes of this.
			return undefined;
		}
	};
	const ask = async (): Promise<void> => {
		isAsking = true;
		for (let pauseMs = FIRST_PAUSE_MS; waiters.length > 0; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
			// Nobody waits longer because the server does not answer.
			const first = Math.min(...waiters.map(({ until }) => until));
			const horizon = await withinTime(clock, askHorizon(), Math.max(0, first - clock.now()));
			const now = clock.now();
			const isDone = ({ transaction, until }: Waiter): boolean =>
				(horizon !== undefined && transaction < horizon) || now >= until;
			const done = waiters.filter(isDone);
			waiters = waiters.filter((waiter) => !done.includes(waiter));
			for (const { resolve } of done) resolve();
			if (waiters.length > 0) await clock.sleep(pauseMs);
		}
		isAsking = false;
	};

	return (transaction) =>
		new Promise((resolve) => {
			waiters.push({ transaction, until: clock.now() + MAX_WAIT_MS, resolve });
			if (!isAsking) void ask();
		});
}
