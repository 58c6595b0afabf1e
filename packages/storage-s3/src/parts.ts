// What the options are made into: a client, a bucket and a store of videos.

import type { S3Client, ServerSideEncryption, StorageClass } from "@aws-sdk/client-s3";
import type { Logger } from "@reelkeep/core/ports";
import type { BucketOptions } from "./bucket.js";
import { type CreateOnly, createConditions, defaultCreateOnly } from "./create-only.js";
import { type ConnectionOptions, createClient } from "./s3-client.js";
import { createS3VideoStore, type S3VideoStore } from "./video-store.js";

const DEFAULT_PART_BYTES = 8 * 1024 * 1024;
/** The least that S3 takes as a part that is not the last, and the most that is gathered in memory. */
const MIN_PART_BYTES = 5 * 1024 * 1024;
const MAX_PART_BYTES = 512 * 1024 * 1024;

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

export interface Parts {
	readonly bucket: BucketOptions;
	/** Signs links, and sends nothing. */
	readonly linkClient: S3Client;
	readonly store: S3VideoStore;
	/** Unless it is the user's. */
	destroyClient(): void;
}

/** *Errors*: throws a `RangeError` for a prefix or a size of parts that is none. */
export function prepareParts(options: S3StorageOptions): (logger: Logger) => Parts {
	const { partBytes = DEFAULT_PART_BYTES } = options;
	if (!Number.isInteger(partBytes) || partBytes < MIN_PART_BYTES || partBytes > MAX_PART_BYTES)
		throw new RangeError(`partBytes must be a whole number from ${MIN_PART_BYTES} to ${MAX_PART_BYTES}`);
	const prefix = checkPrefix(options.prefix ?? "");
	const mode = options.createOnly ?? defaultCreateOnly(options.endpoint);
	return (logger) => {
		const isOwn = !("client" in options);
		const client = isOwn ? createClient(options) : options.client;
		const bucket = {
			...objectOptionsOf(options),
			client,
			prefix,
			conditions: createConditions(mode, logger),
		};
		return {
			bucket,
			linkClient: linkClientOf(options, client),
			store: createS3VideoStore({ ...bucket, partBytes, logger }),
			destroyClient() {
				if (isOwn) client.destroy();
			},
		};
	};
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
