// The plugin: videos in a bucket.

import { withinTime } from "@reelkeep/core";
import {
	CLOCK,
	type Clock,
	isStoreFault,
	LOGGER,
	type Logger,
	type Plugin,
	storeFault,
	VIDEO_STORE,
} from "@reelkeep/core/ports";
import { type Parts, prepareParts, type S3StorageOptions } from "./parts.js";
import { type ReadLinkOptions, signReadLink } from "./read-link.js";
import type { S3VideoStore } from "./video-store.js";

const PLUGIN_NAME = "storage-s3";
const CHECK_TIMEOUT_MS = 5_000;
const LOOK_EVERY_MS = 60_000;

export interface S3Storage extends Plugin {
	/** See `signReadLink`. *Errors*: rejects with `closed` before the start. */
	signReadLink(location: string, options: ReadLinkOptions): Promise<string>;
}

/**
 * Keeps videos in a bucket; any number of processes may use it at once. Events and keys are kept elsewhere.
 * *Errors*: throws a `RangeError` for a prefix or a size of parts that is none. Its start rejects with a `StoreFault` when the
 * bucket cannot be listed, and says why.
 */
export function s3Storage(options: S3StorageOptions): S3Storage {
	const makeParts = prepareParts(options);
	let parts: Parts | undefined;
	const partsOf = (logger: Logger): Parts => {
		parts ??= makeParts(logger);
		return parts;
	};
	let clock: Clock | undefined;
	/** One look a minute at a bucket that is silent, however often it is asked about. */
	let looking: { readonly answer: Promise<string>; readonly since: number } | undefined;
	const look = (store: S3VideoStore, now: number): Promise<string> => {
		if (looking !== undefined && Math.abs(now - looking.since) < LOOK_EVERY_MS) return looking.answer;
		const answer = store.ping().then(
			() => "",
			(error: unknown) => (isStoreFault(error) ? error.message : "the object store cannot be looked at"),
		);
		const own = { answer, since: now };
		looking = own;
		void answer.then(() => {
			if (looking === own) looking = undefined;
		});
		return answer;
	};
	return {
		name: PLUGIN_NAME,
		provides: [VIDEO_STORE],
		needs: [CLOCK, LOGGER],
		register(registry) {
			registry.provide(VIDEO_STORE, (get) => partsOf(get(LOGGER)).store);
		},
		async start(get) {
			const started = partsOf(get(LOGGER));
			try {
				await started.store.start();
			} catch (error) {
				started.destroyClient();
				throw error;
			}
			clock = get(CLOCK);
		},
		async signReadLink(location, link) {
			if (parts === undefined) throw storeFault("closed", "storage-s3 is not started yet");
			return signReadLink({ ...parts.bucket, client: parts.linkClient }, location, link);
		},
		async stop() {
			if (parts === undefined) return;
			parts.store.close();
			parts.destroyClient();
		},
		async check() {
			if (parts === undefined || clock === undefined) return [];
			const message = await troubleOf(look(parts.store, clock.now()), clock);
			// Callbacks are received all the same.
			return message === undefined ? [] : [{ source: PLUGIN_NAME, message, severity: "degraded" }];
		},
	};
}

/** In words; `undefined`: it answers. `asked` never rejects. */
async function troubleOf(asked: Promise<string>, clock: Clock): Promise<string | undefined> {
	const answer = await withinTime(clock, asked, CHECK_TIMEOUT_MS);
	if (answer === undefined) return `the object store has not answered in ${CHECK_TIMEOUT_MS / 1000} s`;
	return answer === "" ? undefined : answer;
}
