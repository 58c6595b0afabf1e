// The archiver as a plugin, with the HTTP source as the default of `VideoSource`.

import {
	CLOCK,
	EVENT_STORE,
	IDS,
	KEYRING,
	LOGGER,
	type Plugin,
	TELEMETRY,
	VIDEO_SOURCE,
	VIDEO_STORE,
} from "@reelkeep/core/ports";
import { type Archiver, type ArchiverOptions, createArchiver } from "./archiver.js";
import { requireAbove } from "./check-options.js";
import { createHttpVideoSource, type HttpVideoSourceOptions } from "./http-video-source.js";
import { PLUGIN_NAME } from "./problems.js";

export interface ArchiverPluginOptions extends ArchiverOptions, HttpVideoSourceOptions {}

/**
 * Makes the plugin that keeps every recording's video. It provides `VideoSource` by HTTP; register your own in the
 * container to replace it.
 * *Errors*: throws a `RangeError` or a `TypeError` at once for an option that makes no sense.
 */
export function archiver(options: ArchiverPluginOptions = {}): Plugin {
	const { concurrency, atRiskMs, maxBytes, minBytesPerSecond } = options;
	const { connectTimeoutMs, firstByteTimeoutMs, idleTimeoutMs, throughputWindowMs } = options;
	const times = { connectTimeoutMs, firstByteTimeoutMs, idleTimeoutMs, throughputWindowMs };
	requireAbove(0, { concurrency, maxBytes, ...times });
	requireAbove(-1, { atRiskMs, minBytesPerSecond, ...options.retry });
	const source = createHttpVideoSource(options);
	let running: Archiver | undefined;
	return {
		name: PLUGIN_NAME,
		provides: [VIDEO_SOURCE],
		needs: [EVENT_STORE, VIDEO_STORE, KEYRING, CLOCK, IDS, LOGGER, TELEMETRY],
		register(registry) {
			registry.provide(VIDEO_SOURCE, () => source);
		},
		async start(get) {
			running = createArchiver(
				{
					store: get(EVENT_STORE),
					videoStore: get(VIDEO_STORE),
					source: get(VIDEO_SOURCE),
					keyring: get(KEYRING),
					clock: get(CLOCK),
					ids: get(IDS),
					logger: get(LOGGER),
					telemetry: get(TELEMETRY),
				},
				options,
			);
			running.start();
		},
		async stop() {
			await running?.stop();
		},
		async check() {
			return (await running?.check()) ?? [];
		},
	};
}
