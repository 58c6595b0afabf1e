// The addresses of a host, asked for once and within bounds.

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";

/** All addresses of a host name. */
export type ResolveHost = (hostname: string) => Promise<readonly string[]>;

/** No honest name has more; each of them is checked, and may be connected to. */
export const MAX_ADDRESSES = 64;

export interface ResolveOptions {
	readonly resolve: ResolveHost;
	readonly timeoutMs: number;
	readonly signal: AbortSignal;
}

export type Resolved =
	| { readonly _tag: "Resolved"; readonly addresses: readonly string[] }
	| { readonly _tag: "Unresolved"; readonly message: string };

/** Resolves `url`'s host; an address needs no resolver. *Shape*: from one to `MAX_ADDRESSES` addresses. Never rejects. */
export async function resolveHost({ hostname }: URL, options: ResolveOptions): Promise<Resolved> {
	const literal = hostname.replace(/^\[(.*)\]$/, "$1");
	if (isIP(literal) !== 0) return { _tag: "Resolved", addresses: [literal] };
	const addresses = await resolveInTime(hostname, options);
	if (addresses.length === 0) return { _tag: "Unresolved", message: `${hostname} cannot be resolved` };
	if (addresses.length > MAX_ADDRESSES) {
		return { _tag: "Unresolved", message: `${hostname} has more than ${MAX_ADDRESSES} addresses` };
	}
	return { _tag: "Resolved", addresses };
}

/** As the machine resolves it: `hosts` file, name servers, and whatever else it is set up for. */
export async function resolveBySystem(hostname: string): Promise<readonly string[]> {
	const found = await lookup(hostname, { all: true, verbatim: true });
	return found.map(({ address }) => address);
}

/** The system's resolver cannot be stopped, only left behind. Empty: no address, not in time, or nobody waits any more. */
async function resolveInTime(
	hostname: string,
	{ resolve, timeoutMs, signal }: ResolveOptions,
): Promise<readonly string[]> {
	// An abort that has happened is not told again.
	if (signal.aborted) return [];
	let leave = (): void => undefined;
	const left = new Promise<readonly string[]>((settle) => {
		leave = () => settle([]);
	});
	const timer = setTimeout(leave, timeoutMs);
	signal.addEventListener("abort", leave, { once: true });
	const addresses = await Promise.race([resolveOrNone(resolve, hostname), left]);
	clearTimeout(timer);
	signal.removeEventListener("abort", leave);
	return addresses;
}

/** A resolver of somebody else's may throw at once, too. */
async function resolveOrNone(resolve: ResolveHost, hostname: string): Promise<readonly string[]> {
	try {
		return await resolve(hostname);
	} catch {
		return [];
	}
}
