// What an object store and the network report, as the faults that a store rejects with.

import { isStoreFault, type StoreFault, storeFault } from "@reelkeep/core/ports";

/** The server's or Node's name of the error; never its message, which may quote addresses and keys. */
function codeOf(error: unknown): string | undefined {
	const { Code, code, name } = (error ?? {}) as Record<string, unknown>;
	return [Code, code, name].find(
		(each): each is string => typeof each === "string" && /^[A-Za-z][\w.]{2,60}$/.test(each),
	);
}

/** Of HTTP; `undefined`: no answer came. */
export function statusOf(error: unknown): number | undefined {
	const { $metadata } = (error ?? {}) as { readonly $metadata?: { readonly httpStatusCode?: unknown } };
	return typeof $metadata?.httpStatusCode === "number" ? $metadata.httpStatusCode : undefined;
}

/** The object is not there. What is asked with HEAD does not say whether its bucket is. */
export function isMissing(error: unknown): boolean {
	return statusOf(error) === 404 && codeOf(error) !== "NoSuchBucket";
}

/** An object of that name is there, and was not to be replaced. */
export function isTaken(error: unknown): boolean {
	return statusOf(error) === 412 || (statusOf(error) === 409 && codeOf(error) === "FileAlreadyExists");
}

/** The object is another one than was asked for by its ETag. */
export function isChanged(error: unknown): boolean {
	return statusOf(error) === 412;
}

/** The server knows nothing of what was asked. */
export function isNotImplemented(error: unknown): boolean {
	return statusOf(error) === 501;
}

interface Meaning {
	readonly codes: RegExp;
	readonly what: string;
	readonly retryable: boolean;
}

const MEANINGS: readonly Meaning[] = [
	{ codes: /^NoSuchBucket$/, what: "has no such bucket: create it, or correct its name", retryable: false },
	{
		codes: /^(?:InvalidAccessKeyId|SignatureDoesNotMatch)$/,
		what: "refuses this access key: check it, its secret and the region",
		retryable: false,
	},
	{
		codes: /^(?:ExpiredToken|SecurityTokenExpired|InvalidSecurityToken|InvalidToken|TokenRefreshRequired)$/,
		what: "finds the credentials out of date: whatever renews them has failed",
		retryable: true,
	},
	{ codes: /^RequestTimeTooSkewed$/, what: "finds this machine's clock wrong: set it", retryable: false },
	{
		codes: /^SecondLevelDomainForbidden$/,
		what: "wants the bucket in the host name: leave `pathStyle` out",
		retryable: false,
	},
	{
		codes: /^(?:PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/,
		what: "has this bucket in another region, or at another endpoint",
		retryable: false,
	},
	{ codes: /^(?:BadDigest|InvalidDigest)$/, what: "got other bytes than were sent", retryable: true },
	{ codes: /^(?:SlowDown|Throttling|TooManyRequests)/, what: "asks for fewer requests", retryable: true },
	{ codes: /^NoSuchUpload$/, what: "has lost an upload: was it aborted?", retryable: true },
	{
		codes: /^(?:CredentialsProviderError|ProviderError|TokenProviderError)$/,
		what: "was not asked: there are no credentials",
		retryable: true,
	},
];

/** `doing`: what failed, as a gerund. The fault has no cause: errors of the SDK hold requests and their signatures. */
export function toFault(error: unknown, doing: string): StoreFault {
	if (isStoreFault(error)) return error;
	const { what, retryable } = meaningOf(error);
	return storeFault("io", `${doing}: the object store ${what}`, { retryable });
}

function meaningOf(error: unknown): Omit<Meaning, "codes"> {
	const code = codeOf(error);
	const known = MEANINGS.find(({ codes }) => code !== undefined && codes.test(code));
	if (known !== undefined) return known;
	const status = statusOf(error);
	const detail = code === undefined ? "" : ` (${code})`;
	if (status === undefined) return { what: `cannot be reached${detail}`, retryable: true };
	if (status === 401 || status === 403)
		return {
			what: `does not allow it${detail}: grant this access key the rights on the bucket`,
			retryable: false,
		};
	const retryable = status >= 500 ? status !== 501 : [408, 409, 429].includes(status);
	return { what: `answers ${status}${detail}`, retryable };
}
