// Where a link may lead (promise 9): its host, its port, the addresses it resolves to, and its redirects. Pure; each
// refusal is words for a person, which name a host and never a link.

import { parseLink } from "@reelkeep/core";
import { classifyAddress, isAddressAllowed } from "./address-policy.js";
import { type HostPattern, isHostAllowed, isOssInternalHost } from "./host-policy.js";

export interface LinkPolicy {
	readonly hosts: readonly HostPattern[];
	readonly allowPrivateNetwork: boolean;
	/** Opens 100.64.0.0/10 to the hosts of OSS's internal endpoints. */
	readonly allowOssInternal: boolean;
	/** Ports for public addresses and for those of OSS inside; a private one, once allowed, may be asked on any. */
	readonly ports: ReadonlySet<number>;
}

/** Why nobody may even resolve this URL's host; `undefined`: nothing speaks against it. */
export function refuseUrl(url: URL, policy: LinkPolicy): string | undefined {
	if (url.username !== "" || url.password !== "") return `the link to ${url.host} carries a user name`;
	if (!isHostAllowed(url.hostname, policy.hosts)) {
		return `the host ${url.hostname} is not allowed: name it with --allow-host ${url.hostname} (allowHosts), together with the hosts that are allowed now`;
	}
	return undefined;
}

/** Why none of the addresses of this URL's host may be connected to. One bad address among good ones is enough. */
export function refuseAddresses(
	url: URL,
	addresses: readonly string[],
	policy: LinkPolicy,
): string | undefined {
	const { allowPrivateNetwork } = policy;
	const allowShared = policy.allowOssInternal && isOssInternalHost(url.hostname);
	const forbidden = addresses.find((one) => !isAddressAllowed(one, { allowPrivateNetwork, allowShared }));
	if (forbidden !== undefined) return describeForbidden(url.hostname, forbidden, policy);
	const isAnyPort = allowPrivateNetwork && addresses.every((one) => classifyAddress(one) !== "public");
	if (!isAnyPort && !policy.ports.has(portOf(url))) {
		return `the port of ${url.host} is not allowed: only ${[...policy.ports].join(", ")} (allowPorts)`;
	}
	return undefined;
}

export type Redirect =
	| { readonly _tag: "Follow"; readonly url: URL }
	| { readonly _tag: "Refuse"; readonly message: string };

/** Where an answer's `Location` leads; the new URL still has to pass the other checks. */
export function readRedirect(from: URL, location: string | undefined): Redirect {
	const url =
		location !== undefined && URL.canParse(location, from.href)
			? parseLink(new URL(location, from.href).href)
			: undefined;
	if (url === undefined)
		return { _tag: "Refuse", message: `${from.host} redirects to no http or https link` };
	if (from.protocol === "https:" && url.protocol === "http:") {
		return { _tag: "Refuse", message: `${from.host} redirects from https to http` };
	}
	return { _tag: "Follow", url };
}

function describeForbidden(hostname: string, address: string, { allowOssInternal }: LinkPolicy): string {
	const kind = classifyAddress(address);
	switch (kind) {
		case "private":
		case "shared":
			if (kind === "shared" && !allowOssInternal && isOssInternalHost(hostname)) {
				return `${hostname} is inside Alibaba Cloud: --allow-oss-internal (allowOssInternal) opens it`;
			}
			return `${hostname} is in a private network: --allow-private-network (allowPrivateNetwork) opens it`;
		case "metadata":
			return `${hostname} leads to a metadata address, where no download ever goes`;
		default:
			return `${hostname} leads to a reserved address, where no download ever goes`;
	}
}

function portOf(url: URL): number {
	if (url.port !== "") return Number(url.port);
	return url.protocol === "https:" ? 443 : 80;
}
