// The client of the AWS SDK, set so that object stores other than Amazon's take what it sends.

import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";

/** Tries of one request, the first included: what lasts longer is the caller's to try again, later. */
const MAX_ATTEMPTS = 4;
const CONNECTION_TIMEOUT_MS = 5_000;
/** Without a byte in either direction. */
const IDLE_TIMEOUT_MS = 60_000;

export interface ConnectionOptions {
	/**
	 * `https://s3.oss-cn-hangzhou-internal.aliyuncs.com` for OSS in a VPC, without `-internal` elsewhere. Default: Amazon's, of
	 * the region.
	 */
	readonly endpoint?: string;
	/** Where users reach it, for the links that are signed for them. Default: `endpoint`. */
	readonly publicEndpoint?: string;
	/** `cn-hangzhou`, `eu-central-1`, … It is part of the signature. */
	readonly region: string;
	/** Keys, or a provider of the SDK's: `aliyunCredentials()` of `@reelkeep/storage-s3/aliyun` is one. Default: the SDK's own chain. */
	readonly credentials?: NonNullable<S3ClientConfig["credentials"]>;
	/** `true` for servers that have no host name for each bucket; OSS refuses it. Default `false`. */
	readonly pathStyle?: boolean;
}

/** `requestHandler`: of use in tests. Default: HTTP of Node, with limits of time. */
export function createClient(
	{ endpoint, region, credentials, pathStyle = false }: ConnectionOptions,
	requestHandler: S3ClientConfig["requestHandler"] = {
		connectionTimeout: CONNECTION_TIMEOUT_MS,
		socketTimeout: IDLE_TIMEOUT_MS,
	},
): S3Client {
	return new S3Client({
		region,
		...(endpoint === undefined ? {} : { endpoint }),
		...(credentials === undefined ? {} : { credentials }),
		forcePathStyle: pathStyle,
		// What is sent otherwise, `aws-chunked` bodies with a checksum behind them, others refuse. Ours have a Content-MD5.
		requestChecksumCalculation: "WHEN_REQUIRED",
		responseChecksumValidation: "WHEN_REQUIRED",
		maxAttempts: MAX_ATTEMPTS,
		requestHandler,
	});
}
