// Client certificates as a `Verifier`: whom the TLS layer has proved is compared with a list.

import type { PeerCertificate as NodeCertificate } from "node:tls";
import type { PeerCertificate, Verification, Verifier } from "@reelkeep/core/ports";

/** Node writes a value in quotes, as JSON, when it could be taken for more than one. */
const ALTERNATIVE_NAME = /\s*[^:,"]+:("(?:[^"\\]|\\.)*"|[^,]*)(?:,|$)/gy;

/**
 * Takes a certificate whose common name, or one of whose subject alternative names, is in `names`, letter by letter; the
 * first of `names` that matches is who calls. *Errors*: throws a `TypeError` when there is no name, or a blank one.
 */
export function createCertificateVerifier(names: readonly string[]): Verifier {
	if (names.length === 0) throw new TypeError("no client certificate is allowed, so nobody could ever call");
	if (names.some((name) => name.trim() !== name || name === "")) {
		throw new TypeError("the name of a client certificate is blank, or wrapped in white space");
	}
	return {
		async verify({ peer }): Promise<Verification> {
			if (peer === undefined) {
				const message = "a client certificate is missing";
				return { _tag: "NotAuthentic", reason: "missing-credentials", message };
			}
			const own = new Set([
				...(peer.commonName === undefined ? [] : [peer.commonName]),
				...peer.alternativeNames,
			]);
			const name = names.find((one) => own.has(one));
			if (name === undefined) {
				const message = "the client certificate names nobody who may call here";
				return { _tag: "NotAuthentic", reason: "wrong-credentials", message };
			}
			return { _tag: "Authentic", appKey: name, receipt: { scheme: "mtls" } };
		},
	};
}

/** Whom a certificate names; `undefined` for none. */
export function readPeer(certificate: NodeCertificate | undefined): PeerCertificate | undefined {
	if (certificate?.subject === undefined) return undefined;
	// A subject may have several common names; types/node knows only one.
	const commonName: unknown = certificate.subject.CN;
	return {
		...(typeof commonName === "string" ? { commonName } : {}),
		alternativeNames: readAlternativeNames(certificate.subjectaltname ?? ""),
	};
}

/** None at all when the text is not what Node writes: half of it could be another's name. */
function readAlternativeNames(text: string): readonly string[] {
	const names: string[] = [];
	ALTERNATIVE_NAME.lastIndex = 0;
	let end = 0;
	while (end < text.length) {
		const match = ALTERNATIVE_NAME.exec(text);
		if (match === null) return [];
		end = ALTERNATIVE_NAME.lastIndex;
		const name = unquote(match[1] ?? "");
		if (name === undefined) return [];
		names.push(name);
	}
	return names;
}

function unquote(value: string): string | undefined {
	if (!value.startsWith('"')) return value;
	try {
		const text: unknown = JSON.parse(value);
		return typeof text === "string" ? text : undefined;
	} catch {
		return undefined;
	}
}
