// Who could reach the server, and what he would have to prove: refused, or said at start. Pure.

export interface Exposure {
	/** Default `127.0.0.1`. */
	readonly host?: string;
	readonly tls?: object | undefined;
	readonly callers?: object | undefined;
	readonly verifier?: unknown;
}

const LOOPBACK = /^(?:localhost|(?:::ffff:)?127(?:\.\d{1,3}){3}|::1)$/i;

/** Whether only this machine is, or reaches, this address; a name but `localhost` is not looked up. */
export function isLoopback(host: string): boolean {
	return LOOPBACK.test(host);
}

/** The host of `HOST:PORT`, `[IPv6]:PORT` and of Node's `IPv6:PORT`. */
export function hostOf(peer: string): string {
	return peer.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}

/** Throws a `TypeError`: what is reached from elsewhere must know who calls. */
export function checkExposure({ host = "127.0.0.1", callers, verifier }: Exposure): void {
	if (callers !== undefined || verifier !== undefined || isLoopback(host)) return;
	throw new TypeError(
		`${host || "every address"} can be reached from elsewhere, and nobody there would have to prove who calls: have callers prove it ` +
			"by tokens or certificates, or have reports signed; or listen on 127.0.0.1",
	);
}

/** What the user should know of a server of ours although it works. */
export function describeExposure({ host = "127.0.0.1", tls, callers }: Exposure): readonly string[] {
	if (tls === undefined && callers !== undefined && !isLoopback(host)) {
		return [
			"gRPC is in clear text: what callers prove themselves with can be read on the way, unless TLS ends in front",
		];
	}
	return [];
}
