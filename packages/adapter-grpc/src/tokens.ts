// Bearer tokens as a `Verifier`: each caller has one, or several while one replaces another.

import { hash, timingSafeEqual } from "node:crypto";
import type { NotAuthenticReason, Verification, Verifier } from "@reelkeep/core/ports";

/** One of a caller's tokens. `id` names it in receipts, logs and counters; the token itself is never told. */
export interface CallerToken {
	/** 1 to 64 letters, digits, `.`, `_` or `-`; no part of the token. */
	readonly id: string;
	readonly token: string;
}

/** The caller's name → its token, or its tokens. */
export type Tokens = Readonly<Record<string, string | readonly CallerToken[]>>;

/** What a token without a name is called in receipts. */
export const DEFAULT_TOKEN_ID = "default";

/** `openssl rand -hex 16` and -base64 24 have 32. */
const MIN_TOKEN_CHARACTERS = 24;
const MAX_TOKEN_CHARACTERS = 4096;
/** What is longer may be a token. */
const MAX_SHOWN_CHARACTERS = 16;
/** RFC 6750's `b64token`. */
const TOKEN = /^[0-9A-Za-z._~+/-]+=*$/;
const NAME = /^[0-9A-Za-z._-]{1,64}$/;
const BEARER = /^Bearer +([0-9A-Za-z._~+/-]+=*)$/i;

interface Known {
	readonly caller: string;
	readonly id: string;
	readonly digest: Buffer;
}

/**
 * Takes `authorization: Bearer TOKEN`. *Errors*: throws a `TypeError` at once for weak or shared tokens, which it never
 * quotes. *Promise*: compares in constant time, and with all tokens, whichever it is.
 */
export function createTokenVerifier(tokens: Tokens): Verifier {
	const known = readTokens(tokens);
	return {
		async verify({ headers }): Promise<Verification> {
			const header = headers.get("authorization");
			if (header === undefined) return refuse("missing-credentials", "a bearer token is missing");
			const token = BEARER.exec(header)?.[1];
			if (token === undefined) return refuse("wrong-credentials", "authorization must be: Bearer TOKEN");
			const digest = digestOf(token);
			let owner: Known | undefined;
			for (const one of known) if (timingSafeEqual(one.digest, digest)) owner = one;
			if (owner === undefined) return refuse("wrong-credentials", "no such token is known here");
			const receipt = { scheme: "bearer", secretId: owner.id };
			return { _tag: "Authentic", appKey: owner.caller, receipt };
		},
	};
}

function readTokens(tokens: Tokens): readonly Known[] {
	const known = Object.entries(tokens).flatMap(([caller, given]) => {
		const all = typeof given === "string" ? [{ id: DEFAULT_TOKEN_ID, token: given }] : given;
		if (!NAME.test(caller))
			throw new TypeError(`a caller's name has 1 to 64 letters, digits, ".", "_" or "-"`);
		const who = `caller ${shown(caller)}`;
		if (all.length === 0) throw new TypeError(`${who} has no token`);
		refuseIds(who, all);
		return all.map(({ id, token }) => {
			refuseWeak(who, token);
			return { caller, id, digest: digestOf(token) };
		});
	});
	if (known.length === 0) throw new TypeError("no caller has a token, so nobody could ever call");
	if (new Set(known.map(({ digest }) => digest.toString("hex"))).size !== known.length) {
		throw new TypeError("two callers, or two names of one, have the same token: which of them calls?");
	}
	return known;
}

/** A token may stand where the name belongs. */
function shown(caller: string): string {
	return caller.length <= MAX_SHOWN_CHARACTERS ? caller : `${caller.slice(0, 4)}…`;
}

function refuseWeak(who: string, token: unknown): void {
	if (token === "") {
		throw new TypeError(`the token of ${who} is empty: is the variable set that it is read from?`);
	}
	if (typeof token !== "string" || token.length < MIN_TOKEN_CHARACTERS) {
		throw new TypeError(
			`the token of ${who} has fewer than ${MIN_TOKEN_CHARACTERS} characters and could be guessed; openssl rand -hex 32 makes one`,
		);
	}
	if (token.length > MAX_TOKEN_CHARACTERS) {
		throw new TypeError(`the token of ${who} has more than ${MAX_TOKEN_CHARACTERS} characters`);
	}
	if (!TOKEN.test(token)) {
		throw new TypeError(
			`the token of ${who} has characters that no bearer token has: was it copied with a line end?`,
		);
	}
}

function refuseIds(who: string, tokens: readonly CallerToken[]): void {
	const ids: readonly unknown[] = tokens.map(({ id }) => id);
	if (!ids.every((id) => typeof id === "string" && NAME.test(id))) {
		throw new TypeError(`a token of ${who} needs a name of 1 to 64 letters, digits, ".", "_" or "-"`);
	}
	if (new Set(ids).size !== ids.length) throw new TypeError(`two tokens of ${who} have the same id`);
}

function digestOf(token: string): Buffer {
	return hash("sha256", token, "buffer");
}

function refuse(reason: NotAuthenticReason, message: string): Verification {
	return { _tag: "NotAuthentic", reason, message };
}
