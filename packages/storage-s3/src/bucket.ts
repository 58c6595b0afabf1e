// Objects of one bucket below a prefix: what the store does with them, and how its failures read.

import {
	DeleteObjectsCommand,
	HeadObjectCommand,
	ListObjectsV2Command,
	PutObjectCommand,
	type S3Client,
	type ServerSideEncryption,
	type StorageClass,
} from "@aws-sdk/client-s3";
import { storeFault } from "@reelkeep/core/ports";
import type { Conditions } from "./create-only.js";
import type { ListedObject } from "./partial-layout.js";
import { addContentMd5, addHeader, contentMd5 } from "./request-headers.js";
import { isMissing, statusOf, toFault } from "./s3-fault.js";

/** Of one request, by S3. */
const MAX_DELETED = 1_000;

export interface BucketOptions {
	readonly client: S3Client;
	readonly bucket: string;
	/** Of all keys: empty, or with a slash at its end. */
	readonly prefix: string;
	readonly conditions: Conditions;
	/** Of every object. Default: the bucket's. */
	readonly serverSideEncryption?: ServerSideEncryption;
	readonly kmsKeyId?: string;
	/** Of videos; unfinished ones are kept in the bucket's. */
	readonly storageClass?: StorageClass;
}

export interface StoredObject {
	readonly bytes: number;
	readonly etag: string;
	/** Names in lower case. */
	readonly metadata: Readonly<Record<string, string>>;
}

/** Keys are below the prefix. Everything rejects with a `StoreFault`. */
export interface Bucket {
	/** `undefined`: there is none. */
	head(key: string): Promise<StoredObject | undefined>;
	/** Writes `body` with its MD5, which the server checks, as metadata; what was there is replaced. The ETag is returned. */
	put(key: string, body: Uint8Array): Promise<string>;
	/** Writes a video; `false`: something is there already, and is left alone. */
	createVideo(key: string, body: Uint8Array, metadata: Readonly<Record<string, string>>): Promise<boolean>;
	/** All whose key starts with `start`, in the order of their keys. `limit`: no more than so many. */
	list(start: string, limit?: number): Promise<readonly ListedObject[]>;
	/** Nothing happens where there is none. */
	remove(keys: readonly string[]): Promise<void>;
}

const VIDEO_TYPE = "video/mp4";

export function createBucket(options: BucketOptions): Bucket {
	const { client, bucket, prefix, conditions } = options;
	const at = (key: string) => ({ Bucket: bucket, Key: prefix + key });
	const head = (key: string) => headObject(options, key);
	return {
		head,
		async put(key, body) {
			const md5 = contentMd5(body);
			const command = new PutObjectCommand({
				...at(key),
				...encryptionOf(options),
				Body: body,
				ContentMD5: md5,
				Metadata: { md5 },
			});
			const { ETag = "" } = await faulted("writing a part of a video", client.send(command));
			return ETag;
		},
		async createVideo(key, body, metadata) {
			const send = (header: readonly [string, string] | undefined) => {
				const command = new PutObjectCommand({
					...at(key),
					...videoSettings(options),
					Body: body,
					ContentMD5: contentMd5(body),
					Metadata: { ...metadata },
				});
				if (header !== undefined) addHeader(command, ...header);
				return client.send(command);
			};
			const look = async () => (await head(key)) !== undefined;
			return faulted("writing a video", conditions.create({ send, look }));
		},
		async list(start, limit) {
			const found: ListedObject[] = [];
			let token: string | undefined;
			do {
				const page = await faulted(
					"listing the bucket",
					client.send(
						new ListObjectsV2Command({
							Bucket: bucket,
							Prefix: prefix + start,
							...(token === undefined ? {} : { ContinuationToken: token }),
							...(limit === undefined ? {} : { MaxKeys: limit }),
						}),
					),
				);
				for (const { Key = "", Size = 0, ETag = "" } of page.Contents ?? [])
					found.push({ key: Key.slice(prefix.length), bytes: Size, etag: ETag });
				token = limit === undefined ? page.NextContinuationToken : undefined;
			} while (token !== undefined);
			return found;
		},
		async remove(keys) {
			for (let from = 0; from < keys.length; from += MAX_DELETED) {
				const Objects = keys.slice(from, from + MAX_DELETED).map((key) => ({ Key: prefix + key }));
				const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } });
				addContentMd5(command);
				const { Errors = [] } = await faulted("removing from the bucket", client.send(command));
				const [first] = Errors;
				if (first !== undefined) throw toFault(refusal(first.Code), "removing from the bucket");
			}
		},
	};
}

const UNEXPLAINED =
	"looking at a video: the object store refuses, and does not say why: have the credentials ended, or do they lack a right on the bucket?";

/** *Errors*: rejects with a `StoreFault`. */
export async function headObject(
	{ client, bucket, prefix }: BucketOptions,
	key: string,
): Promise<StoredObject | undefined> {
	try {
		const command = new HeadObjectCommand({ Bucket: bucket, Key: prefix + key });
		const { ContentLength = 0, ETag = "", Metadata = {} } = await client.send(command);
		return { bytes: ContentLength, etag: ETag, metadata: Metadata };
	} catch (error) {
		if (isMissing(error)) return undefined;
		const status = statusOf(error);
		// What is asked with HEAD is answered without a reason.
		if (status === 400 || status === 401 || status === 403)
			throw storeFault("io", `${UNEXPLAINED} (${status})`);
		throw toFault(error, "looking at a video");
	}
}

/** *Errors*: rejects with what `sent` rejects with, as a `StoreFault`. */
export async function faulted<Result>(doing: string, sent: Promise<Result>): Promise<Result> {
	try {
		return await sent;
	} catch (error) {
		throw toFault(error, doing);
	}
}

/** What the answer to a request that succeeded says of one object. */
function refusal(code = "") {
	const status = code === "AccessDenied" ? 403 : 500;
	return { name: code, $metadata: { httpStatusCode: status } };
}

function encryptionOf({ serverSideEncryption, kmsKeyId }: BucketOptions) {
	return {
		...(serverSideEncryption === undefined ? {} : { ServerSideEncryption: serverSideEncryption }),
		...(kmsKeyId === undefined ? {} : { SSEKMSKeyId: kmsKeyId }),
	};
}

/** What a video is given, whether it is written at once or in parts. */
export function videoSettings(options: BucketOptions) {
	const { storageClass } = options;
	return {
		...encryptionOf(options),
		...(storageClass === undefined ? {} : { StorageClass: storageClass }),
		ContentType: VIDEO_TYPE,
	};
}
