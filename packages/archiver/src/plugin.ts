// The archiver as a plugin, with the HTTP source as the default of `VideoSource`.

import {
	CLOCK,
	EVENT_STORE,
	IDS,
	KEYRING,
	LINK_REFRESHER,
	LOGGER,
	NOTICES,
	type Plugin,
	TELEMETRY,
	VIDEO_SOURCE,
	VIDEO_STORE,
} from "@reelkeep/core/ports";
import { type Archiver, type ArchiverOptions, type ArchiverSummary, createArchiver } from "./archiver.js";
import { checkArchiverOptions } from "./check-options.js";
import { createHttpVideoSource, type HttpVideoSourceOptions } from "./http-video-source.js";
import { createMp4Probe } from "./mp4-probe.js";
import { loadMp4Parser } from "./mp4-probe-library.js";
import { PLUGIN_NAME } from "./problems.js";

export interface ArchiverPluginOptions extends ArchiverOptions, HttpVideoSourceOptions {
	/** Looks at each video as an MP4, and notes in its receipt whether a player can play it. Default `false`. */
	readonly probeMp4?: boolean;
}

export interface ArchiverPlugin extends Plugin {
	/** `Archiver.whenIdle`. *Errors*: rejects before the start. */
	whenIdle(options?: { readonly signal?: AbortSignal }): Promise<ArchiverSummary>;
}

/**
 * Makes the plugin that keeps every recording's video. It provides `VideoSource` by HTTP; register your own in the
 * container to replace it.
 * *Errors*: throws a `RangeError` or a `TypeError` at once for an option that makes no sense.
 */
export function archiver(options: ArchiverPluginOptions = {}): ArchiverPlugin {
	// `createArchiver` checks them too, but only at the start.
	checkArchiverOptions(options);
	const source = createHttpVideoSource(options);
	let running: Archiver | undefined;
	return {
		name: PLUGIN_NAME,
		provides: [VIDEO_SOURCE],
		needs: [EVENT_STORE, VIDEO_STORE, KEYRING, LINK_REFRESHER, CLOCK, IDS, LOGGER, TELEMETRY, NOTICES],
		register(registry) {
			registry.provide(VIDEO_SOURCE, () => source);
		},
		async start(get) {
			if (options.probeMp4 === true) await loadMp4Parser();
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
					notices: get(NOTICES),
					refresher: get(LINK_REFRESHER),
					...(options.probeMp4 === true ? { probeMp4: createMp4Probe } : {}),
				},
				options,
			);
			running.start();
		},
		async stop() {
			await running?.stop();
		},
		async whenIdle(waiting) {
			if (running === undefined) throw new Error("the archiver is not started");
			return running.whenIdle(waiting);
		},
		async check() {
			return (await running?.check()) ?? [];
		},
	};
}
