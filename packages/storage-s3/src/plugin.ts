// The plugin: videos in a bucket.

import type { S3Client, ServerSideEncryption, StorageClass } from "@aws-sdk/client-s3";
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
import type { BucketOptions } from "./bucket.js";
import { type CreateOnly, createConditions, defaultCreateOnly } from "./create-only.js";
import { type ReadLinkOptions, signReadLink } from "./read-link.js";
import { type ConnectionOptions, createClient } from "./s3-client.js";
import { createS3VideoStore, type S3VideoStore } from "./video-store.js";

const PLUGIN_NAME = "storage-s3";
const DEFAULT_PART_BYTES = 8 * 1024 * 1024;
/** The least that S3 takes as a part that is not the last, and the most that is gathered in memory. */
const MIN_PART_BYTES = 5 * 1024 * 1024;
const MAX_PART_BYTES = 512 * 1024 * 1024;
const CHECK_TIMEOUT_MS = 5_000;

interface ObjectOptions {
	/** It must be there. */
	readonly bucket: string;
	/** Of all objects, such as `reelkeep/`. Letters, digits, `_`, `-`, `.` and `/`. Default: none. */
	readonly prefix?: string;
	/**
	 * Bytes of a part, in memory twice for each upload under way. A video has 10,000 parts at most: 78 GiB by default. From 5
	 * to 512 MiB; default 8 MiB.
	 */
	readonly partBytes?: number;
	/** How a video is created and never replaced. Default: `forbid-overwrite` at `*.aliyuncs.com`, else `if-none-match`. */
	readonly createOnly?: CreateOnly;
	/** `AES256` or `aws:kms`; default: what the bucket is set to. */
	readonly serverSideEncryption?: ServerSideEncryption;
	readonly kmsKeyId?: string;
	/** Of videos. Default: the bucket's. */
	readonly storageClass?: StorageClass;
}

export type S3StorageOptions = ObjectOptions &
	(
		| ConnectionOptions
		/** Yours, with `requestChecksumCalculation: "WHEN_REQUIRED"` if the server is not Amazon's: it is not destroyed. */
		| { readonly client: S3Client; readonly endpoint?: never; readonly publicEndpoint?: never }
	);

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
	const { partBytes = DEFAULT_PART_BYTES } = options;
	if (!Number.isInteger(partBytes) || partBytes < MIN_PART_BYTES || partBytes > MAX_PART_BYTES)
		throw new RangeError(`partBytes must be a whole number from ${MIN_PART_BYTES} to ${MAX_PART_BYTES}`);
	const prefix = checkPrefix(options.prefix ?? "");
	const mode = options.createOnly ?? defaultCreateOnly(options.endpoint);
	let parts: Parts | undefined;
	const partsOf = (logger: Logger): Parts => {
		if (parts === undefined) {
			const client = "client" in options ? options.client : createClient(options);
			const bucket = {
				...objectOptionsOf(options),
				client,
				prefix,
				conditions: createConditions(mode, logger),
			};
			parts = {
				bucket,
				linkClient: linkClientOf(options, client),
				store: createS3VideoStore({ ...bucket, partBytes, logger }),
			};
		}
		return parts;
	};
	let clock: Clock | undefined;
	const destroyClient = ({ bucket }: Parts): void => {
		if (!("client" in options)) bucket.client.destroy();
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
				destroyClient(started);
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
			destroyClient(parts);
		},
		async check() {
			if (parts === undefined || clock === undefined) return [];
			const message = await troubleOf(parts.store, clock);
			// Callbacks are received all the same.
			return message === undefined ? [] : [{ source: PLUGIN_NAME, message, severity: "degraded" }];
		},
	};
}

interface Parts {
	readonly bucket: BucketOptions;
	/** Signs links, and sends nothing. */
	readonly linkClient: S3Client;
	readonly store: S3VideoStore;
}

function linkClientOf(options: S3StorageOptions, client: S3Client): S3Client {
	if ("client" in options || options.publicEndpoint === undefined) return client;
	return createClient({ ...options, endpoint: options.publicEndpoint });
}

function objectOptionsOf({ bucket, serverSideEncryption, kmsKeyId, storageClass }: S3StorageOptions) {
	return {
		bucket,
		...(serverSideEncryption === undefined ? {} : { serverSideEncryption }),
		...(kmsKeyId === undefined ? {} : { kmsKeyId }),
		...(storageClass === undefined ? {} : { storageClass }),
	};
}

function checkPrefix(prefix: string): string {
	if (prefix === "") return "";
	const whole = prefix.endsWith("/") ? prefix : `${prefix}/`;
	if (!/^(?:(?!\.{1,2}\/)[\w.-]+\/)+$/.test(whole))
		throw new RangeError("prefix must be names of letters, digits, `_`, `-` and `.`, with `/` between them");
	return whole;
}

/** In words; `undefined`: it answers. Never rejects. */
async function troubleOf(store: S3VideoStore, clock: Clock): Promise<string | undefined> {
	const asked = store.ping().then(
		() => "",
		(error: unknown) => (isStoreFault(error) ? error.message : "the object store cannot be looked at"),
	);
	const answer = await withinTime(clock, asked, CHECK_TIMEOUT_MS);
	if (answer === undefined) return `the object store has not answered in ${CHECK_TIMEOUT_MS / 1000} s`;
	return answer === "" ? undefined : answer;
}
