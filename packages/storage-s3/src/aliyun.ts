// @reelkeep/storage-s3/aliyun: credentials as users of Alibaba Cloud have them, for the client of the AWS SDK.

import { createRequire } from "node:module";
import type { Config } from "@alicloud/credentials";
import type { S3ClientConfig } from "@aws-sdk/client-s3";

/** How long what was given out is used without asking again: the library renews keys of a role 15 minutes before their end. */
const ASK_EVERY_MS = 60_000;
/** The SDK asks again so long before the end that it was told. */
const SDK_RENEWS_BEFORE_MS = 5 * 60_000;

export interface AliyunCredentialsOptions {
	/**
	 * As `@alicloud/credentials` takes it: `new Config({ type: "ecs_ram_role", roleName })`, `ram_role_arn`, `oidc_role_arn`, `sts`, … Default:
	 * its chain: `ALIBABA_CLOUD_ACCESS_KEY_ID` and `…_SECRET`, RRSA of ACK (`ALIBABA_CLOUD_OIDC_TOKEN_FILE` and its like), the
	 * command line's profile, the credentials file, the RAM role of the ECS, `ALIBABA_CLOUD_CREDENTIALS_URI`.
	 */
	readonly config?: Config;
}

type Provider = Extract<NonNullable<S3ClientConfig["credentials"]>, (...args: never[]) => unknown>;

/**
 * A provider for `credentials` of `s3Storage`, by `@alicloud/credentials`, which renews what ends: install it too.
 * *Errors*: rejects where there are no credentials; the message holds none.
 */
export function aliyunCredentials({ config }: AliyunCredentialsOptions = {}): Provider {
	let client: { getCredential(): Promise<CredentialParts> } | undefined;
	return async () => {
		try {
			client ??= newClient(config);
			const { accessKeyId, accessKeySecret, securityToken } = await client.getCredential();
			if (!accessKeyId || !accessKeySecret) throw new Error("no access key");
			return {
				accessKeyId,
				secretAccessKey: accessKeySecret,
				...(securityToken ? { sessionToken: securityToken } : {}),
				expiration: new Date(Date.now() + SDK_RENEWS_BEFORE_MS + ASK_EVERY_MS),
			};
		} catch (error) {
			// Its chain stays with whatever it tried last.
			client = undefined;
			throw new NoCredentials(error);
		}
	};
}

interface CredentialParts {
	readonly accessKeyId?: string;
	readonly accessKeySecret?: string;
	readonly securityToken?: string;
}

class NoCredentials extends Error {
	/** As the SDK's providers call it. */
	override readonly name = "CredentialsProviderError";

	constructor(error: unknown) {
		const isAbsent = (error as { readonly code?: unknown } | undefined)?.code === "MODULE_NOT_FOUND";
		super(isAbsent ? "install @alicloud/credentials" : "@alicloud/credentials has no credentials");
	}
}

function newClient(config: Config | undefined) {
	// CommonJS, whose default export Node and bundlers hand over in different shapes.
	const library = createRequire(import.meta.url)(
		"@alicloud/credentials",
	) as typeof import("@alicloud/credentials");
	return new library.default(config ?? null);
}
