// Starts plugins in order, rolls a partial start back, stops in reverse. tsyringe does not dispose what factories made.

import { observe } from "../observe.js";
import type { Get, Plugin } from "../ports/plugin.js";
import type { Clock, Logger } from "../ports/runtime.js";
import { joinNames } from "./compose.js";
import { systemClock } from "./defaults.js";

/** A plugin that starts or stops for longer is named: it may be recovering, or waiting for what never comes. */
const SLOW_MS = 10_000;

export interface Lifecycle {
	/** *Errors*: rejects with the reason of the first plugin that does not start, after those before it were stopped. */
	start(): Promise<void>;
	/** Idempotent. *Errors*: rejects with an `AggregateError` when plugins fail to stop, after all were asked. */
	stop(): Promise<void>;
}

/** *Shape*: `plugins` in start order. A lifecycle runs once: a stopped one does not start again. */
export function createLifecycle(
	plugins: readonly Plugin[],
	get: Get,
	logger: () => Logger,
	// Not the composition's clock: whether a start hangs is a matter of real time.
	sleep: Clock["sleep"] = systemClock.sleep,
): Lifecycle {
	const started: Plugin[] = [];
	let starting: Promise<void> | undefined;
	let stopping: Promise<void> | undefined;

	async function startAll(): Promise<void> {
		for (const plugin of plugins) {
			// A plugin whose start fails half-way is stopped too: it may hold sockets or files.
			started.push(plugin);
			await startOne(plugin);
			logger().debug({ plugin: plugin.name }, "plugin started");
		}
	}

	async function startOne(plugin: Plugin): Promise<void> {
		try {
			await unlessSlow(plugin, "plugin is still starting", async () => plugin.start?.(get));
		} catch (error) {
			observe(() => logger().error({ plugin: plugin.name }, "plugin did not start"));
			throw error instanceof Error
				? error
				: new Error(`${plugin.name} did not start, and does not say why`, { cause: error });
		}
	}

	async function unlessSlow(plugin: Plugin, message: string, work: () => Promise<void>): Promise<void> {
		const over = new AbortController();
		void sleep(SLOW_MS, over.signal).then(() => {
			const details = { plugin: plugin.name, waitedMs: SLOW_MS };
			if (!over.signal.aborted) observe(() => logger().warn(details, message));
		});
		await work().finally(() => over.abort());
	}

	async function stopAll(): Promise<void> {
		const failures: unknown[] = [];
		const names: string[] = [];
		for (const plugin of started.splice(0).reverse()) {
			try {
				await unlessSlow(plugin, "plugin is still stopping", async () => plugin.stop?.());
				logger().debug({ plugin: plugin.name }, "plugin stopped");
			} catch (error) {
				failures.push(error);
				names.push(plugin.name);
			}
		}
		if (failures.length > 0) throw new AggregateError(failures, `did not stop cleanly: ${joinNames(names)}`);
	}

	return {
		start() {
			if (stopping !== undefined) return Promise.reject(new Error("a stopped Reelkeep does not start again"));
			starting ??= startAll().catch(async (error: unknown) => {
				await stopAll().catch(() => undefined);
				throw error;
			});
			return starting;
		},
		stop() {
			stopping ??= (starting ?? Promise.resolve()).catch(() => undefined).then(stopAll);
			return stopping;
		},
	};
}
