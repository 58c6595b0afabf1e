// Which addresses a download may connect to (promise 9). Pure; asked about every address a name resolves to.

import { isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * - `public`: global unicast
 * - `private`: loopback, RFC 1918, unique local
 * - `shared`: 100.64.0.0/10, where clouds put their internal endpoints
 * - `metadata`: hands out credentials to whoever asks from inside
 * - `reserved`: everything else, and text that is no address
 */
export type AddressClass = "public" | "private" | "shared" | "metadata" | "reserved";

/** What the clouds answer credentials on. Alibaba's is 100.100.100.200; the others cost nothing to refuse as well. */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set([
	"169.254.169.254",
	"100.100.100.200",
	"169.254.170.2",
	"169.254.170.23",
	"169.254.0.23",
	"168.63.129.16",
	"192.0.0.192",
	"fd00:ec2::254",
	"fd00:ec2::23",
	"fd20:ce::254",
	"fd00:c1::a9fe:a9fe",
	"fd00:42::42",
]);

type IPv4 = InstanceType<typeof ipaddr.IPv4>;
type IPv6 = InstanceType<typeof ipaddr.IPv6>;

/** Only this is given out as global unicast; what the library does not name outside of it is nobody's. */
const GLOBAL_UNICAST = prefixOf("2000::", 3);

/** IPv6 ranges that carry an IPv4 address, by the byte at which it stands. `routed`: the traffic really gets there. */
const EMBEDDINGS: readonly {
	readonly prefix: [IPv6, number];
	readonly at: number;
	readonly routed: boolean;
}[] = [
	{ prefix: prefixOf("::ffff:0:0", 96), at: 12, routed: true },
	{ prefix: prefixOf("64:ff9b::", 96), at: 12, routed: true },
	{ prefix: prefixOf("::ffff:0:0:0", 96), at: 12, routed: false },
	{ prefix: prefixOf("2002::", 16), at: 2, routed: false },
	{ prefix: prefixOf("::", 96), at: 12, routed: false },
];

/** Classifies one IP address. *Shape*: as `getaddrinfo` or `URL.hostname` spell it; brackets and a zone id are understood. */
export function classifyAddress(address: string): AddressClass {
	const text = address.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
	if (ipaddr.IPv4.isValidFourPartDecimal(text)) return classifyIPv4(ipaddr.IPv4.parse(text));
	// WHATWG's parser first: ipaddr.js reads `::8.8.8.8` as `::ffff:8.8.8.8`, which is another address.
	if (!/^[0-9a-f:.]+$/i.test(text) || !URL.canParse(`http://[${text}]`)) return "reserved";
	return classifyIPv6(ipaddr.IPv6.parse(new URL(`http://[${text}]`).hostname.slice(1, -1)));
}

export interface AddressPolicy {
	/** Opens `private` and `shared`. */
	readonly allowPrivateNetwork: boolean;
	/** Opens 100.64.0.0/10, in its own spelling only. Default `false`. */
	readonly allowShared?: boolean;
}

/** Whether a download may connect there. Metadata and reserved addresses never, whatever is allowed. */
export function isAddressAllowed(address: string, policy: AddressPolicy): boolean {
	const kind = classifyAddress(address);
	if (kind === "public") return true;
	if (kind !== "private" && kind !== "shared") return false;
	if (policy.allowPrivateNetwork) return true;
	return policy.allowShared === true && kind === "shared" && isIPv4(address);
}

function classifyIPv4(address: IPv4): AddressClass {
	if (METADATA_ADDRESSES.has(address.toString())) return "metadata";
	switch (address.range()) {
		case "unicast":
			return "public";
		case "private":
		case "loopback":
			return "private";
		case "carrierGradeNat":
			return "shared";
		default:
			return "reserved";
	}
}

function classifyIPv6(address: IPv6): AddressClass {
	if (METADATA_ADDRESSES.has(address.toString())) return "metadata";
	const range = address.range();
	if (range === "loopback" || range === "uniqueLocal") return "private";
	const embedding = EMBEDDINGS.find(({ prefix }) => address.match(prefix));
	if (embedding !== undefined) return classifyEmbedded(address, embedding);
	return range === "unicast" && address.match(GLOBAL_UNICAST) ? "public" : "reserved";
}

/** Forms that no route needs any more are refused even around a public address: they only serve to get past checks. */
function classifyEmbedded(address: IPv6, { at, routed }: { at: number; routed: boolean }): AddressClass {
	const inner = classifyIPv4(new ipaddr.IPv4(address.toByteArray().slice(at, at + 4)));
	return routed || inner === "metadata" ? inner : "reserved";
}

function prefixOf(address: string, bits: number): [IPv6, number] {
	return [ipaddr.IPv6.parse(address), bits];
}
