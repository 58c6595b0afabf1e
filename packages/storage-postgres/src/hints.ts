// Hints between processes: `NOTIFY` behind a commit, `LISTEN` on a connection of its own. A hint may be lost; readers poll.

import { createHintListeners, describeError, type HintListeners, observe, whenAborted } from "@reelkeep/core";
import type { Clock, Logger } from "@reelkeep/core/ports";
import { codeOf } from "./postgres-fault.js";
import type { PooledClient, PostgresPool } from "./postgres-pool.js";

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;
/** More often nobody is woken: each of them wakes every process. */
const MIN_INTERVAL_MS = 20;
/** A hint of our own is back by then, or hints do not come this way. */
const OWN_HINT_MS = 5_000;

export interface HintsOptions {
	readonly pool: PostgresPool;
	readonly schema: string;
	readonly clock: Clock;
	readonly logger: Logger;
	/** Whether a connection listens for the hints of other processes, and they are told of ours. */
	readonly isShared: boolean;
}

/** `give` tells everybody, here and elsewhere, and never throws. */
export interface Hints extends HintListeners {
	/** Begins to listen, in the background. */
	start(): void;
	/** Why other processes' hints do not come; `undefined`: they do, or nobody wants them. */
	trouble(): string | undefined;
	stop(): Promise<void>;
}

export function createHints({ pool, schema, clock, logger, isShared }: HintsOptions): Hints {
	const channel = `reelkeep_${schema}`;
	const here = createHintListeners((error) =>
		observe(() => logger.error({ error: describeError(error) }, "a listener of onAppended threw")),
	);
	const stopping = new AbortController();
	let listening: Promise<void> = Promise.resolve();
	let telling: Promise<void> | undefined;
	let isWanted = false;
	let trouble: string | undefined;
	let heard = (): void => undefined;

	/** Behind the commit: who notifies within it holds a lock, until it is on the disk, that all others who notify want. */
	const tell = async (): Promise<void> => {
		while (isWanted && !stopping.signal.aborted) {
			isWanted = false;
			try {
				await pool.query({ text: "SELECT pg_notify($1, '')", values: [channel] });
			} catch {
				// The log is polled as well.
			}
			await clock.sleep(MIN_INTERVAL_MS, stopping.signal);
		}
		telling = undefined;
	};
	const tellOthers = (): void => {
		isWanted = true;
		telling ??= tell();
	};
	const give = (): void => {
		here.give();
		if (isShared) tellOthers();
	};

	/** Resolves when the connection is gone. */
	const listenOn = async (client: PooledClient): Promise<void> => {
		const gone = new AbortController();
		const leave = (): void => gone.abort("gone");
		const listener = ({ channel: from }: { readonly channel: string }): void => {
			if (from !== channel) return;
			trouble = undefined;
			heard();
			here.give();
		};
		client.on("notification", listener);
		client.on("error", leave);
		client.on("end", leave);
		stopping.signal.addEventListener("abort", leave, { once: true });
		if (stopping.signal.aborted) leave();
		try {
			await client.query({ text: `LISTEN ${channel}` });
			// What was committed before is not hinted at.
			here.give();
			await checkOwnHint(gone.signal);
			await whenAborted(gone.signal);
		} finally {
			stopping.signal.removeEventListener("abort", leave);
			client.removeAllListeners("notification");
			// Nobody gets it next. What it still says of its end is of no interest, and must have a listener.
			client.release(true);
		}
	};
	/** Through a pooler that lends a connection for a transaction, `LISTEN` succeeds and nothing is ever heard. */
	const checkOwnHint = async (signal: AbortSignal): Promise<void> => {
		if (signal.aborted) return;
		const back = new AbortController();
		heard = () => back.abort("heard");
		signal.addEventListener("abort", heard, { once: true });
		tellOthers();
		await clock.sleep(OWN_HINT_MS, back.signal);
		signal.removeEventListener("abort", heard);
		heard = () => undefined;
		if (back.signal.aborted) return;
		trouble =
			"hints of other processes do not arrive, so that the log is polled: a pooler such as PgBouncer stands between; connect directly, or turn hints off";
		observe(() => logger.warn({ channel }, trouble ?? ""));
	};
	const listen = async (): Promise<void> => {
		for (
			let pauseMs = FIRST_PAUSE_MS;
			!stopping.signal.aborted;
			pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)
		) {
			const startedAt = clock.now();
			let code: string | undefined;
			try {
				await listenOn(await pool.connect());
			} catch (error) {
				code = codeOf(error);
			}
			if (stopping.signal.aborted) return;
			trouble = "the connection that listens for hints is lost; trying again, and polling the log meanwhile";
			observe(() => logger.warn({ code }, trouble ?? ""));
			if (clock.now() - startedAt > MAX_PAUSE_MS) pauseMs = FIRST_PAUSE_MS;
			await clock.sleep(pauseMs, stopping.signal);
		}
	};

	return {
		add: here.add,
		give,
		start() {
			if (isShared) listening = listen();
		},
		trouble: () => trouble,
		async stop() {
			stopping.abort("stopped");
			await Promise.all([listening, telling]);
		},
	};
}
