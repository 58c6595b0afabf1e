// The archiver as a plugin, with the HTTP source as the default of `VideoSource`.

import { type DividedWork, describeError, divideWork, observe, shareOf, whenAborted } from "@reelkeep/core";
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
	type StreamName,
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

/** The processes that share a store divide the recordings among them, in so many shares (ADR 0047). */
const SHARES = 16;
const shareOfStream = (stream: StreamName): number => shareOf(stream, SHARES);

export interface ArchiverPluginOptions extends ArchiverOptions, HttpVideoSourceOptions {
	/** Looks at each video as an MP4, and notes in its receipt whether a player can play it. Default `false`. */
	readonly probeMp4?: boolean;
}

export interface ArchiverPlugin extends Plugin {
	/**
	 * `Archiver.whenIdle`, of the recordings that are this process's to keep by then, once it has a share of them.
	 * *Errors*: rejects before the start.
	 */
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
	let working: Archiver | undefined;
	/** The shares that are this process's. */
	const held = new Set<number>();
	const isOurs = (stream: StreamName): boolean => held.has(shareOfStream(stream));
	let divided: DividedWork | undefined;
	let lastWords: string | undefined;
	let tell = (): void => undefined;
	/** Resolves once this process has its first share, or never will. */
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
			const archiver = createArchiver(
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
			working = archiver;
			archiver.assign(isOurs);
			archiver.start();
			divided = divideWork(
				{ leases: get(LEASE_STORE), clock: get(CLOCK), logger: get(LOGGER) },
				{
					name: PLUGIN_NAME,
					owner: get(IDS).next(),
					shares: SHARES,
					async work(share, until) {
						held.add(share);
						archiver.assign(isOurs);
						tell();
						await whenAborted(until);
						held.delete(share);
						archiver.assign(isOurs);
						await archiver.settled((stream) => shareOfStream(stream) === share);
					},
					signal: stopping.signal,
				},
			);
			divided.ended.then(tell, (error: unknown) => {
				lastWords = `videos are no longer kept by this process: ${describeError(error)}`;
				observe(() => get(LOGGER).error({ error: describeError(error) }, "the archiver ended"));
				tell();
			});
			await divided.decided;
		},
		async stop() {
			// Each share is given back once its downloads are broken off; none is renewed meanwhile.
			const stopped = working?.stop();
			stopping.abort();
			await stopped;
			await divided?.ended;
		},
		async whenIdle(idle) {
			if (working === undefined) throw new Error("the archiver is not started");
			await Promise.race([begun, ...(idle?.signal === undefined ? [] : [whenAborted(idle.signal)])]);
			return working.whenIdle(idle);
		},
		async check() {
			if (lastWords !== undefined) return [archiverProblem(lastWords)];
			return (await working?.check()) ?? [];
		},
	};
}
