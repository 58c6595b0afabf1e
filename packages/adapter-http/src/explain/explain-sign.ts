// What a request's `sign` was made of, and what is wrong with that: scheme, secret, or what was signed.

import type { AppSecret } from "../app-secrets.js";
import type { RequestKind } from "../check-parameters.js";
import { isSignMethod, type SignMethod } from "../signature.js";
import { note, ok, problem, type SignatureFinding } from "./signature-finding.js";
import {
	createSignatureSearch,
	MAX_TRIED_SIGNATURES,
	type SignatureSearch,
	type SignOrigin,
} from "./signature-search.js";
import { type SignedParts, suspect, textsOf } from "./signature-suspicions.js";

/** App key → its secrets. */
export type KnownApps = ReadonlyMap<string, readonly AppSecret[]>;

/** What a request says about its own signature, before anything is computed. */
export interface SignClaim {
	/** Empty: no such app is known. */
	readonly secrets: readonly AppSecret[];
	/** `undefined`: none that we know. */
	readonly method: SignMethod | undefined;
	/** In upper case, however it was sent; `undefined`: it can be no sign. */
	readonly sign: string | undefined;
	readonly problems: readonly SignatureFinding[];
}

export function readSignClaim(
	sent: ReadonlyMap<string, string>,
	kind: RequestKind,
	apps: KnownApps,
): SignClaim {
	const problems: SignatureFinding[] = [];
	const appKey = sent.get("app_key");
	const secrets = apps.get(appKey ?? "") ?? [];
	if (!appKey) problems.push(problem("missing-app-key", "app_key is missing"));
	else if (secrets.length === 0) problems.push(problem("unknown-app-key", UNKNOWN_APP));
	const stated = sent.get("sign_method") || (kind === "spi" ? "md5" : "");
	const method = isSignMethod(stated) ? stated : undefined;
	if (stated === "") problems.push(problem("missing-sign-method", "sign_method is missing"));
	else if (method === undefined) problems.push(problem("unknown-sign-method", UNKNOWN_METHOD));
	const text = sent.get("sign") ?? "";
	const upperCase = text.trim().toUpperCase();
	const sign = /^(?:[0-9A-F]{32}|[0-9A-F]{64})$/.test(upperCase) ? upperCase : undefined;
	if (text === "") problems.push(problem("missing-sign", "sign is missing"));
	else if (sign === undefined) problems.push(problem("sign-not-hexadecimal", NOT_HEXADECIMAL));
	else if (sign !== text) problems.push(problem("sign-not-upper-case", NOT_UPPER_CASE));
	return { secrets, method, sign, problems };
}

const UNKNOWN_APP = "app_key is none of the apps that are configured here";
const UNKNOWN_METHOD = "sign_method must be md5, hmac or hmac-sha256";
const NOT_HEXADECIMAL = "sign must be 32 hexadecimal digits (md5, hmac) or 64 (hmac-sha256)";
const NOT_UPPER_CASE = "sign must be in upper case, without white space around it";

/** What `claim.sign` was made of. *Shape*: empty when there is no sign to explain. */
export function explainSign(
	claim: SignClaim,
	parts: SignedParts,
	apps: KnownApps,
): readonly SignatureFinding[] {
	if (claim.sign === undefined) return [];
	const search = createSignatureSearch(claim.sign);
	const plain = { texts: textsOf(parts.parameters), body: parts.body };
	const origin = search.find(plain, claim.secrets);
	if (origin !== undefined) return concludeMatch(claim, origin, describeBlanks(origin, plain.texts));
	const cause = findOtherSecret(search, plain, claim, apps) ?? findSuspicion(search, parts, claim);
	return cause ?? [problem("unexplained", describeSearch(search))];
}

/** With `others`, which are in the way of the match. */
function concludeMatch(
	{ method, problems }: SignClaim,
	origin: SignOrigin,
	blanks: string,
	others: readonly SignatureFinding[] = [],
): readonly SignatureFinding[] {
	const isOther = method !== undefined && method !== origin.method;
	const scheme = isOther
		? [problem("other-sign-method", `sign was made with ${origin.method}, but sign_method says ${method}`)]
		: [];
	const mend = [...others, ...scheme];
	const what = `${origin.method}, secret "${origin.secretId}"${blanks}`;
	return mend.length === 0 && problems.length === 0
		? [ok("signature-matches", `sign matches: ${what}`)]
		: [...mend, note("signature-matches-once-mended", `but for that, sign matches: ${what}`)];
}

function describeBlanks({ text }: SignOrigin, texts: readonly string[]): string {
	if (texts.length === 1) return "";
	return text === texts[0] ? ", empty values signed" : ", empty values left out";
}

const WRAPPERS: readonly (readonly [what: string, wrap: (secret: string) => string])[] = [
	["a line end behind it", (secret) => `${secret}\n`],
	["a line end behind it", (secret) => `${secret}\r\n`],
	["a line end behind it", (secret) => `${secret}\r`],
	["white space behind it", (secret) => `${secret} `],
	["white space behind it", (secret) => `${secret}\t`],
	["white space before it", (secret) => ` ${secret}`],
	["white space before it", (secret) => `\t${secret}`],
	["white space around it", (secret) => ` ${secret} `],
	["a line end before it", (secret) => `\n${secret}`],
	["a byte order mark before it", (secret) => `\ufeff${secret}`],
	["quotes around it", (secret) => `"${secret}"`],
	["quotes around it", (secret) => `'${secret}'`],
];

function findOtherSecret(
	search: SignatureSearch,
	plain: Parameters<SignatureSearch["find"]>[0],
	claim: SignClaim,
	apps: KnownApps,
): readonly SignatureFinding[] | undefined {
	for (const [what, wrap] of WRAPPERS) {
		const wrapped = claim.secrets.map(({ id, secret }) => ({ id, secret: wrap(secret) }));
		const origin = search.find(plain, wrapped);
		if (origin === undefined) continue;
		const message = `the sender's copy of the secret has ${what}`;
		return concludeMatch(claim, origin, "", [problem("wrapped-secret", message)]);
	}
	const others = [...apps.values()].filter((secrets) => secrets !== claim.secrets).flat();
	const origin = search.find(plain, others);
	return origin === undefined
		? undefined
		: concludeMatch(claim, origin, "", [problem("other-secret", OTHER_SECRET)]);
}

const OTHER_SECRET =
	"sign was made with the secret of another app that is configured here: app_key and secret do not belong together";

function findSuspicion(
	search: SignatureSearch,
	parts: SignedParts,
	claim: SignClaim,
): readonly SignatureFinding[] | undefined {
	for (const suspicion of suspect(parts)) {
		const origin = search.find(suspicion, claim.secrets);
		if (origin === undefined) continue;
		return concludeMatch(claim, origin, "", [problem(suspicion._tag, suspicion.message)]);
	}
	return undefined;
}

function describeSearch(search: SignatureSearch): string {
	const tried = search.tried();
	const bound = tried >= MAX_TRIED_SIGNATURES ? ", which is the bound" : "";
	return (
		`sign matches nothing of what was tried (${tried} signatures${bound}: other schemes and secrets, parameters ` +
		"added, left out, encoded, trimmed or sorted in other ways, the body with and without). Next: compare the " +
		"secret with the sender's, and look whether a proxy changes the request on its way, request_param above all"
	);
}
