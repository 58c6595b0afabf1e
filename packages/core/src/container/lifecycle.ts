// Starts plugins in order, rolls a partial start back, stops in reverse. tsyringe does not dispose what factories made.

import { observe } from "../observe.js";
import type { Get, Plugin } from "../ports/plugin.js";
import type { Logger } from "../ports/runtime.js";

export interface Lifecycle {
	/** *Errors*: rejects with the reason of the first plugin that does not start, after those before it were stopped. */
	start(): Promise<void>;
	/** Idempotent. *Errors*: rejects with an `AggregateError` when plugins fail to stop, after all were asked. */
	stop(): Promise<void>;
}

/** *Shape*: `plugins` in start order. A lifecycle runs once: a stopped one does not start again. */
export function createLifecycle(plugins: readonly Plugin[], get: Get, logger: () => Logger): Lifecycle {
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
			await plugin.start?.(get);
		} catch (error) {
			observe(() => logger().error({ plugin: plugin.name }, "plugin did not start"));
			throw error;
		}
	}

	async function stopAll(): Promise<void> {
		const failures: unknown[] = [];
		for (const plugin of started.splice(0).reverse()) {
			try {
				await plugin.stop?.();
				logger().debug({ plugin: plugin.name }, "plugin stopped");
			} catch (error) {
				failures.push(error);
			}
		}
		if (failures.length > 0) throw new AggregateError(failures, "not every plugin stopped cleanly");
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
