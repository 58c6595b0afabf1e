// Where videos are kept when not in a data directory: a bucket of object storage, as a flag names it.

import type { S3StorageOptions } from "@reelkeep/storage-s3";
import { UsageError } from "./flags.js";
import { isUrl } from "./postgres-url.js";

/** Options of `s3Storage`, but for `credentials`: whose chain finds them. */
export interface BucketConfig {
	readonly bucket: string;
	readonly prefix?: string;
	readonly endpoint?: string;
	readonly region: string;
	readonly pathStyle?: boolean;
	readonly createOnly?: (typeof CREATE_ONLY)[number];
	readonly partBytes?: number;
	readonly serverSideEncryption?: (typeof ENCRYPTIONS)[number];
	readonly kmsKeyId?: string;
	readonly storageClass?: StorageClass;
	readonly credentials: (typeof CREDENTIALS)[number];
}

/** The server knows its own, whatever the SDK does. */
type StorageClass = NonNullable<S3StorageOptions["storageClass"]>;

const CREATE_ONLY = ["if-none-match", "forbid-overwrite", "look-first"] as const;
const ENCRYPTIONS = ["AES256", "aws:kms"] as const;
const CREDENTIALS = ["aws", "aliyun"] as const;
const MIB = 1024 * 1024;
const OPTIONS = [
	"endpoint",
	"region",
	"path-style",
	"create-only",
	"part-mib",
	"encryption",
	"kms-key-id",
	"storage-class",
	"credentials",
] as const;
const SHAPE = "s3://BUCKET/PREFIX?region=…&endpoint=https://…";

/** *Errors*: throws a `UsageError` that names `flag` and quotes no value. */
export function parseVideosUrl(flag: string, text: string): BucketConfig {
	const match =
		/^s3:\/\/(?<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(?<prefix>[^?#]*))?(?:\?(?<query>[^#]*))?$/.exec(
			text,
		);
	if (match?.groups === undefined) {
		const keys =
			isUrl(text) && text.includes("@") ? "; keys come from the environment, never from the URL" : "";
		throw new UsageError(`${flag} takes ${SHAPE}${keys}`);
	}
	const { bucket = "", prefix = "", query = "" } = match.groups;
	const given = new URLSearchParams(query);
	const unknown = [...given.keys()].find((name) => !OPTIONS.some((option) => option === name));
	if (unknown !== undefined) {
		throw new UsageError(
			`${flag} knows no option ${JSON.stringify(unknown)}: it takes ${OPTIONS.join(", ")}`,
		);
	}
	const value = (name: (typeof OPTIONS)[number]): string | undefined => given.get(name) || undefined;
	const one = <Value extends string>(name: (typeof OPTIONS)[number], values: readonly Value[]) => {
		const found = values.find((known) => known === value(name));
		if (found !== undefined || value(name) === undefined) return found;
		throw new UsageError(`${flag}: ${name} is ${values.join(" or ")}`);
	};
	const pathStyle = one("path-style", ["true", "false"]);
	const createOnly = one("create-only", CREATE_ONLY);
	const encryption = one("encryption", ENCRYPTIONS);
	const [endpoint, region, mib] = [value("endpoint"), value("region"), value("part-mib")];
	const [kmsKeyId, storageClass] = [value("kms-key-id"), value("storage-class")];
	if (endpoint !== undefined && !/^https?:\/\/[^/@?#]+\/?$/.test(endpoint)) {
		throw new UsageError(`${flag}: endpoint is https://HOST, without a path or keys`);
	}
	if (region === undefined) throw new UsageError(`${flag} needs region=…, which is part of each signature`);
	return {
		bucket,
		...(prefix === "" ? {} : { prefix }),
		...(endpoint === undefined ? {} : { endpoint }),
		region,
		...(pathStyle === undefined ? {} : { pathStyle: pathStyle === "true" }),
		...(createOnly === undefined ? {} : { createOnly }),
		...(mib === undefined ? {} : { partBytes: partBytes(flag, mib) }),
		...(encryption === undefined ? {} : { serverSideEncryption: encryption }),
		...(kmsKeyId === undefined ? {} : { kmsKeyId }),
		...(storageClass === undefined ? {} : { storageClass: storageClass as StorageClass }),
		credentials: one("credentials", CREDENTIALS) ?? "aws",
	};
}

/** Whether both are the same place, as far as they tell. */
export function isSameBucket(one: BucketConfig, other: BucketConfig): boolean {
	const placeOf = ({ bucket, prefix, endpoint, region }: BucketConfig) =>
		JSON.stringify([bucket, prefix?.replace(/\/$/, ""), endpoint?.replace(/\/$/, ""), region]);
	return placeOf(one) === placeOf(other);
}

function partBytes(flag: string, mib: string): number {
	const count = /^\d{1,3}$/.test(mib) ? Number(mib) : Number.NaN;
	if (count >= 5 && count <= 512) return count * MIB;
	throw new UsageError(`${flag}: part-mib is a whole number from 5 to 512`);
}
