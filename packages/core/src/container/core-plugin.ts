// The core as a plugin among others: it provides `receive` and `health`, and feeds the live emitter.

import { decodeEvent } from "../events.js";
import { followLog, lastPosition } from "../follow.js";
import type { LiveEmitter } from "../live-events.js";
import { observe } from "../observe.js";
import type { Get, Plugin } from "../ports/plugin.js";
import type { Problem } from "../ports/runtime.js";
import {
	ADMISSION,
	CLOCK,
	EVENT_STORE,
	HEALTH,
	IDS,
	KEYRING,
	LOGGER,
	RECEIVE,
	TELEMETRY,
} from "../ports/tokens.js";
import { createReceive, type ReceiveOptions } from "../receive.js";

export const CORE_PLUGIN = "reelkeep";

export function corePlugin(options: {
	readonly receive: ReceiveOptions;
	readonly emitter: () => LiveEmitter;
	readonly check: () => Promise<readonly Problem[]>;
}): Plugin {
	const stopping = new AbortController();
	let tail: Promise<void> = Promise.resolve();
	let tailFailure: string | undefined;
	return {
		name: CORE_PLUGIN,
		provides: [RECEIVE, HEALTH],
		needs: [EVENT_STORE, KEYRING, ADMISSION, CLOCK, IDS, LOGGER, TELEMETRY],
		register(registry) {
			registry.provide(RECEIVE, (get) =>
				createReceive(
					{
						store: get(EVENT_STORE),
						keyring: get(KEYRING),
						admission: get(ADMISSION),
						clock: get(CLOCK),
						ids: get(IDS),
						logger: get(LOGGER),
						telemetry: get(TELEMETRY),
					},
					options.receive,
				),
			);
			registry.provide(HEALTH, () => ({ check: options.check }));
		},
		async start(get) {
			const after = await lastPosition(get(EVENT_STORE));
			tail = feed(get, options.emitter(), after, stopping.signal).catch((error: unknown) => {
				tailFailure = `the live events stopped: ${String(error)}`;
				observe(() => get(LOGGER).error({ error: String(error) }, "live events stopped"));
			});
		},
		async stop() {
			stopping.abort();
			await tail;
		},
		async check() {
			return tailFailure === undefined ? [] : [{ source: CORE_PLUGIN, message: tailFailure }];
		},
	};
}

async function feed(
	get: Get,
	emitter: LiveEmitter,
	after: Awaited<ReturnType<typeof lastPosition>>,
	signal: AbortSignal,
): Promise<void> {
	const deps = { store: get(EVENT_STORE), clock: get(CLOCK), logger: get(LOGGER) };
	for await (const followed of followLog(deps, { after, signal })) {
		if (followed._tag !== "Event") continue;
		const event = decodeEvent(followed.event);
		if (event !== undefined) emitter.emit(event);
	}
}
