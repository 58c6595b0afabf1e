// Which hosts a download may name (promise 9). Pure; patterns are anchored, never searched for.

/** Where Avatar's recordings lie: Aliyun OSS. */
export const DEFAULT_ALLOWED_HOSTS: readonly string[] = ["*.aliyuncs.com"];

/** A host name that must match as a whole, or a suffix that stands behind at least one label. */
export interface HostPattern {
	readonly host: string;
	readonly subdomainsOnly: boolean;
}

/**
 * Reads `host`, `*.domain` or an IP address. A pattern names hosts only: no scheme, port, path, or `*` elsewhere.
 * *Errors*: throws a `TypeError` that names the pattern.
 */
export function parseHostPattern(pattern: string): HostPattern {
	const subdomainsOnly = pattern.startsWith("*.");
	const host = normaliseHost(subdomainsOnly ? pattern.slice(2) : pattern);
	if (host === undefined || (subdomainsOnly && isAddress(host))) {
		throw new TypeError(`"${pattern}" names no host: give a host name, *.domain, or an IP address`);
	}
	return { host, subdomainsOnly };
}

/** Whether a URL's `hostname` matches one of `patterns`. `*.aliyuncs.com` matches its subdomains, not itself. */
export function isHostAllowed(hostname: string, patterns: readonly HostPattern[]): boolean {
	const host = normaliseHost(hostname);
	if (host === undefined) return false;
	return patterns.some((pattern) =>
		pattern.subdomainsOnly
			? !isAddress(host) && host.endsWith(`.${pattern.host}`) && host.length > pattern.host.length + 1
			: host === pattern.host,
	);
}

/** Where OSS answers machines inside Alibaba Cloud: `bucket.oss-cn-hangzhou-internal.aliyuncs.com` and the like. */
export function isOssInternalHost(hostname: string): boolean {
	return /[a-z0-9]-internal\.aliyuncs\.com$/.test(normaliseHost(hostname) ?? "");
}

/** As WHATWG URL spells it: lower case, punycode, decimal IPv4, IPv6 in brackets. A trailing or empty label is refused. */
function normaliseHost(text: string): string | undefined {
	const bare = text.includes(":") && !text.startsWith("[") ? `[${text}]` : text;
	if (bare === "" || /[\s/?#@*\\]/.test(bare) || !URL.canParse(`http://${bare}`)) return undefined;
	const url = new URL(`http://${bare}`);
	if (url.port !== "" || url.pathname !== "/") return undefined;
	const isWhole = url.hostname.split(".").every((label) => label !== "");
	return isWhole ? url.hostname : undefined;
}

function isAddress(host: string): boolean {
	return host.startsWith("[") || /^[0-9]+(?:\.[0-9]+){3}$/.test(host);
}
