// Who is calling, and whether he may do what he asks for. Asked once a call; each report may be proved besides.

import { status as Code, type ServerUnaryCall } from "@grpc/grpc-js";
import {
	ANONYMOUS,
	type PeerCertificate,
	type SignedRequest,
	type VerificationReceipt,
	type Verifier,
} from "@reelkeep/core/ports";
import { readPeer } from "./certificates.js";
import { hostOf, isLoopback } from "./exposure.js";
import { answerNotAuthentic, failed, type GrpcFailure } from "./status.js";

export interface CallerOptions {
	/** Who may call at all: `createTokenVerifier`, `createCertificateVerifier`, yours. Left out: whoever can connect. */
	readonly callers?: Verifier;
	/** What proves each report by itself: `createTopVerifier` of @reelkeep/adapter-http, yours. Left out: its caller does. */
	readonly verifier?: Verifier;
	/** The names of callers that may subscribe, and do nothing else. The others report. */
	readonly subscribers?: readonly string[];
}

/** What of a call is needed to know who makes it; read once, for all of its reports. */
export interface Call {
	/** The connection that it came on: an address and a port. */
	readonly connection: string;
	readonly headers: ReadonlyMap<string, string>;
	readonly peer?: PeerCertificate;
}

/** A call as @grpc/grpc-js has it. */
type WireCall = Pick<ServerUnaryCall<unknown, unknown>, "metadata" | "getAuthContext" | "getPeer">;

export function readCall(call: WireCall): Call {
	const peer = readPeer(call.getAuthContext().sslPeerCertificate);
	return { connection: call.getPeer(), headers: headersOf(call), ...(peer === undefined ? {} : { peer }) };
}

export interface Caller {
	readonly _tag: "Caller";
	readonly name: string;
	/** How that is known; `undefined` when nobody was asked. */
	readonly receipt?: VerificationReceipt;
}

/** *Errors*: rejects when a verifier breaks its promise. */
export type Identify = (call: Call, request: "report" | "subscribe") => Promise<Caller | GrpcFailure>;

/** Throws a `TypeError` for subscribers where nobody is asked who calls. */
export function checkSubscribers({
	callers,
	subscribers = [],
}: Pick<CallerOptions, "callers" | "subscribers">): void {
	if (callers !== undefined || subscribers.length === 0) return;
	throw new TypeError("subscribers are told by their tokens or certificates, and nobody is asked for one");
}

/** Throws as `checkSubscribers` does. */
export function createIdentify(options: CallerOptions): Identify {
	checkSubscribers(options);
	const { callers, verifier, subscribers } = options;
	if (callers === undefined) {
		return async (call, request) => identifyNobody(call, request, verifier !== undefined);
	}
	const mayOnlySubscribe = new Set(subscribers);
	return async (call, request) => {
		const verification = await callers.verify(toSignedRequest(call));
		if (verification._tag === "NotAuthentic") {
			return answerNotAuthentic(verification.reason, verification.message);
		}
		const { appKey: name, receipt } = verification;
		const isSubscriber = mayOnlySubscribe.has(name);
		if (request === "subscribe" && !isSubscriber) return NOT_A_SUBSCRIBER;
		if (request === "report" && isSubscriber) return NOT_A_REPORTER;
		return { _tag: "Caller", name, receipt };
	};
}

/** Where nobody is asked: on whatever server it is, from this machine only, unless each report is proved. */
function identifyNobody(
	call: Call,
	request: "report" | "subscribe",
	isSigned: boolean,
): Caller | GrpcFailure {
	// Where reports are proved, the log of all apps is not for whoever comes along.
	if (isSigned && request === "subscribe") return NO_SUBSCRIBERS;
	if (!isSigned && !isLoopback(hostOf(call.connection))) return NOT_FROM_ELSEWHERE;
	return { _tag: "Caller", name: ANONYMOUS };
}

const NO_SUBSCRIBERS: GrpcFailure = failed(
	Code.UNAUTHENTICATED,
	"NO_CALLERS",
	"subscribers must prove who they are, and this server asks nobody: it has no tokens and no certificates",
);

const NOT_FROM_ELSEWHERE: GrpcFailure = failed(
	Code.UNAUTHENTICATED,
	"NO_CALLERS",
	"this server asks nobody who calls, so it takes calls from its own machine only",
);

const NOT_A_SUBSCRIBER: GrpcFailure = failed(
	Code.PERMISSION_DENIED,
	"NOT_A_SUBSCRIBER",
	"this caller may not subscribe to events",
);

const NOT_A_REPORTER: GrpcFailure = failed(
	Code.PERMISSION_DENIED,
	"NOT_A_REPORTER",
	"this caller may only subscribe to events",
);

/** All of them must say yes, in this order; who calls, the last one says, and the receipt names the schemes of all. */
export function verifyAll(verifiers: readonly [Verifier, ...Verifier[]]): Verifier {
	return {
		async verify(request) {
			const schemes: string[] = [];
			let verification = await verifiers[0].verify(request);
			for (const verifier of verifiers.slice(1)) {
				if (verification._tag === "NotAuthentic") return verification;
				schemes.push(verification.receipt.scheme);
				verification = await verifier.verify(request);
			}
			if (verification._tag === "NotAuthentic") return verification;
			const { receipt } = verification;
			return { ...verification, receipt: { ...receipt, scheme: [...schemes, receipt.scheme].join("+") } };
		},
	};
}

const NONE: ReadonlyMap<string, string> = new Map();
const NO_BYTES = new Uint8Array();

/** A call's metadata and certificate, with the parameters of one report. */
export function toSignedRequest(
	{ headers, peer }: Call,
	parameters: ReadonlyMap<string, string> = NONE,
): SignedRequest {
	return { parameters, headers, body: NO_BYTES, ...(peer === undefined ? {} : { peer }) };
}

/** Text only. A key that stands several times has its values joined, as in HTTP. */
export function headersOf({ metadata }: Pick<WireCall, "metadata">): ReadonlyMap<string, string> {
	const headers = new Map<string, string>();
	for (const key of Object.keys(metadata.getMap())) {
		const values = metadata.get(key).filter((value) => typeof value === "string");
		if (values.length > 0) headers.set(key, values.join(", "));
	}
	return headers;
}
