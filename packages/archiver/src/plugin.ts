// The archiver as a plugin, with the HTTP source as the default of `VideoSource`.

import { describeError, type HeldLease, holdLease, observe, whenAborted } from "@reelkeep/core";
import {
	CLOCK,
	EVENT_STORE,
	IDS,
	KEYRING,
	LEASE_STORE,
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
import { archiverProblem, PLUGIN_NAME } from "./problems.js";

/** Of the processes that share a store, one keeps the videos. */
const LEASE_NAME = "archiver";
const NOTHING: ArchiverSummary = { archived: 0, lost: 0, waiting: 0 };

export interface ArchiverPluginOptions extends ArchiverOptions, HttpVideoSourceOptions {
	/** Looks at each video as an MP4, and notes in its receipt whether a player can play it. Default `false`. */
	readonly probeMp4?: boolean;
}

export interface ArchiverPlugin extends Plugin {
	/** `Archiver.whenIdle`; where another process keeps the videos, once this one does. *Errors*: rejects before the start. */
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
	const stopping = new AbortController();
	/** The one of this process that works, or worked last. */
	let newest: Archiver | undefined;
	let isWorking = false;
	let lastWords: string | undefined;
	let held: HeldLease | undefined;
	let tell = (): void => undefined;
	/** Resolves once the archiver works in this process for the first time, or never will. */
	const begun = new Promise<void>((resolve) => {
		tell = resolve;
	});
	return {
		name: PLUGIN_NAME,
		provides: [VIDEO_SOURCE],
		needs: [
			EVENT_STORE,
			VIDEO_STORE,
			KEYRING,
			LINK_REFRESHER,
			LEASE_STORE,
			CLOCK,
			IDS,
			LOGGER,
			TELEMETRY,
			NOTICES,
		],
		register(registry) {
			registry.provide(VIDEO_SOURCE, () => source);
		},
		async start(get) {
			if (options.probeMp4 === true) await loadMp4Parser();
			const create = () =>
				createArchiver(
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
			const work = async (signal: AbortSignal): Promise<void> => {
				const archiver = create();
				newest = archiver;
				isWorking = true;
				archiver.start();
				tell();
				try {
					await whenAborted(signal);
					await archiver.stop();
				} finally {
					isWorking = false;
				}
			};
			const { signal } = stopping;
			held = holdLease(
				{ leases: get(LEASE_STORE), clock: get(CLOCK), logger: get(LOGGER) },
				{ name: LEASE_NAME, owner: get(IDS).next(), work, signal },
			);
			held.ended.then(tell, (error: unknown) => {
				lastWords = `videos are no longer kept by this process: ${describeError(error)}`;
				observe(() => get(LOGGER).error({ error: describeError(error) }, "the archiver ended"));
				tell();
			});
			await held.decided;
		},
		async stop() {
			stopping.abort();
			await held?.ended;
		},
		async whenIdle(idle) {
			if (held === undefined) throw new Error("the archiver is not started");
			await Promise.race([begun, ...(idle?.signal === undefined ? [] : [whenAborted(idle.signal)])]);
			return newest === undefined ? NOTHING : newest.whenIdle(idle);
		},
		async check() {
			if (lastWords !== undefined) return [archiverProblem(lastWords)];
			return isWorking ? ((await newest?.check()) ?? []) : [];
		},
	};
}
