import type { VerificationReceipt } from "./event-store.js";

/** What every transport can hand to a verifier: decoded once, exactly what was signed. */
export interface SignedRequest {
	/** Text parameters (or metadata), decoded once. Every key stands once. */
	readonly parameters: ReadonlyMap<string, string>;
	/** Header names in lower case. */
	readonly headers: ReadonlyMap<string, string>;
	/** The raw body where the scheme signs it; empty otherwise. */
	readonly body: Uint8Array;
	/** The certificate of the other end, where the transport has proved it (mutual TLS). */
	readonly peer?: PeerCertificate;
}

/** Whom a certificate that was proved names. */
export interface PeerCertificate {
	readonly commonName?: string;
	/** The values of its subject alternative names: `relay.example.com`, `spiffe://…`; their kinds left out. */
	readonly alternativeNames: readonly string[];
}

/**
 * Is this request authentic, and whose is it? By a signature, a token, a certificate, whatever the scheme is (ADR 0016).
 * Pure but for its clock; never logs or returns an expected signature or a credential.
 */
export interface Verifier {
	verify(request: SignedRequest): Promise<Verification>;
}

export type Verification =
	| { readonly _tag: "Authentic"; readonly appKey: string; readonly receipt: VerificationReceipt }
	| { readonly _tag: "NotAuthentic"; readonly reason: NotAuthenticReason; readonly message: string };

export type NotAuthenticReason =
	| "missing-app-key"
	| "unknown-app-key"
	| "missing-signature"
	| "unknown-signature-method"
	| "wrong-signature"
	| "missing-timestamp"
	| "invalid-timestamp"
	/** There is no token, or no certificate. */
	| "missing-credentials"
	/** There is one, and it is nobody's who may call. */
	| "wrong-credentials";
