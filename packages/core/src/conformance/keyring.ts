// The contract of `Keyring`, as cases. Every keyring runs them: that of `storage-fs`, the memory one, yours.

import { isKeyringFault, type Keyring, type KeyringFault } from "../ports/keyring.js";
import { assert, assertSame, type Clause, type ConformanceCase, createCases, rejectionOf } from "./case.js";

export interface KeyringHarness {
	/** Opens the keyring. Is called once. */
	open(): Promise<Keyring>;
	/** Opens one that has none of its keys, nor one of the same id. */
	openOther(): Promise<Keyring>;
	/** Opens the keyring as a later process does. One without it loses its keys with its process. */
	reopen?(): Promise<Keyring>;
	/** As `reopen`, with a new key to seal with beside those that there were. One without it has the same key for ever. */
	rotate?(): Promise<Keyring>;
	/** Removes everything. */
	dispose(): Promise<void>;
}

type SuiteClause = Clause<Keyring, KeyringHarness, "reopen" | "rotate">;

/** All cases; each makes a harness of its own. */
export function keyringSuite(makeHarness: () => Promise<KeyringHarness>): readonly ConformanceCase[] {
	return createCases(CLAUSES, makeHarness, {
		open: (harness) => harness.open(),
		supports: (need, _keyring, harness) => harness[need] !== undefined,
	});
}

const CLAUSES: readonly SuiteClause[] = [
	["seal-and-open", "opens to what was sealed, of any characters and any length", sealsAndOpens],
	["shape", "seals to ASCII that names its key", sealsInShape],
	["fresh", "never seals the same text alike", sealsAfresh],
	["hidden", "shows nothing of the text", hidesText],
	["context", "does not open in another context", bindsContext],
	["tampering", "does not open what was changed anywhere", refusesChanges],
	["malformed", "calls damaged what is no sealed text", refusesMalformed],
	["unknown-key", "says that it does not hold the key", tellsUnknownKeys],
	["quiet-faults", "says nothing of the text in a fault", keepsFaultsQuiet],
	["at-once", "seals and opens many texts at the same time, each for itself", worksAtOnce],
	["reopened", "opens in a later process what was sealed before", opensAgain, "reopen"],
	["rotated", "opens with an old key, and seals with the new one", rotates, "rotate"],
];

const SECRET = "http://h/720p.mp4?Expires=4102444800&Signature=0EULWMQnEjKQs8cHFlLttlZaFiI%3D";
const CONTEXT = "link:recording-a";
const SEALED = /^v1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]+)$/;
/** Of nonce and tag. */
const OVERHEAD_BYTES = 28;

async function sealsAndOpens(keyring: Keyring): Promise<void> {
	const texts = [
		SECRET,
		"",
		"\ufeffbehind a mark\ufeff",
		"\0",
		" \r\n ",
		"游戏é\u0301🎮",
		"x".repeat(50_000),
	];
	for (const [index, text] of texts.entries()) {
		for (const context of [CONTEXT, "", "链接:é"]) {
			const opened = await keyring.open(await keyring.seal(text, context), context);
			assert(opened === text, `text ${index + 1} of ${text.length} characters opens to itself`);
		}
	}
}

async function sealsInShape(keyring: Keyring): Promise<void> {
	for (const text of ["", "a", "ab", "abc", SECRET]) {
		const [, , payload] = SEALED.exec(await keyring.seal(text, CONTEXT)) ?? [];
		assert(payload !== undefined, "a sealed text is v1, the key's id and base64url, with dots between them");
		const bytes = text.length + OVERHEAD_BYTES;
		assertSame(payload.length, Math.ceil((bytes * 4) / 3), `characters of ${bytes} bytes in base64url`);
	}
}

async function sealsAfresh(keyring: Keyring): Promise<void> {
	const sealed = new Set<string>();
	for (let count = 0; count < 100; count += 1) sealed.add(await keyring.seal(SECRET, CONTEXT));
	assertSame(sealed.size, 100, "different seals of the same text");
}

async function hidesText(keyring: Keyring): Promise<void> {
	const sealed = await keyring.seal(SECRET, CONTEXT);
	const payload = sealed.slice(sealed.lastIndexOf(".") + 1);
	assert(payload.length > SECRET.length, "what is sealed is as long as the text at least");
	const base64 = payload.replaceAll("-", "+").replaceAll("_", "/");
	const seen = `${sealed} ${atob(base64)}`;
	for (const part of [SECRET, "Signature", CONTEXT])
		assert(!seen.includes(part), "neither text nor context is to be seen in what is sealed");
}

async function bindsContext(keyring: Keyring): Promise<void> {
	const sealed = await keyring.seal(SECRET, CONTEXT);
	for (const other of ["", "link:recording-b", `${CONTEXT} `, CONTEXT.toUpperCase(), "body:recording-a"])
		await assertFault(keyring, sealed, "damaged", "a text in another context", other);
	await assertOpens(keyring, sealed);
}

async function refusesChanges(keyring: Keyring): Promise<void> {
	const sealed = await keyring.seal(SECRET, CONTEXT);
	const start = sealed.lastIndexOf(".") + 1;
	for (let at = start; at < sealed.length; at += 1) {
		const changed = sealed.slice(0, at) + (sealed[at] === "A" ? "B" : "A") + sealed.slice(at + 1);
		await assertFault(keyring, changed, "damaged", `a text that was changed at ${at}`);
	}
	for (const changed of [
		sealed.slice(0, -1),
		sealed.slice(0, -4),
		`${sealed}A`,
		`${sealed}AAAA`,
		`${sealed}=`,
	])
		await assertFault(keyring, changed, "damaged", `a text that has ${changed.length - sealed.length} more`);
	await assertOpens(keyring, sealed);
}

async function refusesMalformed(keyring: Keyring): Promise<void> {
	const sealed = await keyring.seal(SECRET, CONTEXT);
	const [version = "", id = "", payload = ""] = sealed.split(".");
	const malformed = [
		...["", SECRET, "v1", "v1..", "v2.a.b", `v2.${id}.${payload}`, `${version}.${id}`, `${version}.${id}.`],
		...[
			`${version}..${payload}`,
			`${sealed}.`,
			`${sealed}.${payload}`,
			` ${sealed}`,
			`${version}.${id}.AAAA`,
		],
	];
	for (const text of malformed) await assertFault(keyring, text, "damaged", `${text.length} characters`);
	await assertOpens(keyring, sealed);
}

async function tellsUnknownKeys(keyring: Keyring, harness: KeyringHarness): Promise<void> {
	const sealed = await keyring.seal(SECRET, CONTEXT);
	const other = await harness.openOther();
	await assertFault(other, sealed, "unknown-key", "a text of another keyring");
	await assertFault(keyring, await other.seal(SECRET, CONTEXT), "unknown-key", "a text of another keyring");
	const [version = "", , payload = ""] = sealed.split(".");
	for (const id of ["nobodys-key", "__proto__", "constructor"])
		await assertFault(keyring, `${version}.${id}.${payload}`, "unknown-key", `a text of the key ${id}`);
}

async function keepsFaultsQuiet(keyring: Keyring, harness: KeyringHarness): Promise<void> {
	const sealed = await keyring.seal(SECRET, CONTEXT);
	const other = await harness.openOther();
	const faults = [
		await rejectionOf(() => keyring.open(sealed, "link:recording-b")),
		await rejectionOf(() => keyring.open(`${sealed}AAAA`, CONTEXT)),
		await rejectionOf(() => keyring.open(SECRET, CONTEXT)),
		await rejectionOf(() => other.open(sealed, CONTEXT)),
	];
	assert(faults.at(-1) instanceof Error, "what another keyring sealed rejects with an error");
	for (const fault of faults) {
		// That it rejects at all is for other clauses.
		if (!(fault instanceof Error)) continue;
		assert(!/Signature|720p/.test(`${fault.message} ${fault.stack}`), "a fault says nothing of the text");
	}
}

async function worksAtOnce(keyring: Keyring): Promise<void> {
	const texts = Array.from({ length: 50 }, (_, index) => `text ${index}`);
	const sealed = await Promise.all(texts.map((text) => keyring.seal(text, text)));
	const opened = await Promise.all(sealed.map((text, index) => keyring.open(text, `text ${index}`)));
	assertSame(opened, texts, "texts that were sealed and opened at the same time");
}

async function opensAgain(keyring: Keyring, harness: KeyringHarness): Promise<void> {
	const sealed = await keyring.seal(SECRET, CONTEXT);
	await assertOpens(await opened(harness.reopen), sealed);
}

async function rotates(keyring: Keyring, harness: KeyringHarness): Promise<void> {
	const sealed = await keyring.seal(SECRET, CONTEXT);
	const rotated = await opened(harness.rotate);
	await assertOpens(rotated, sealed);
	const fresh = await rotated.seal(SECRET, CONTEXT);
	assert(fresh.split(".")[1] !== sealed.split(".")[1], "a new key seals");
	await assertOpens(rotated, fresh);
	await assertFault(keyring, fresh, "unknown-key", "a text of the new key, for who does not have it");
}

async function opened(open: (() => Promise<Keyring>) | undefined): Promise<Keyring> {
	const keyring = await open?.();
	assert(keyring !== undefined, "the harness opens the keyring again");
	return keyring;
}

async function assertOpens(keyring: Keyring, sealed: string): Promise<void> {
	assert((await keyring.open(sealed, CONTEXT)) === SECRET, "what was sealed opens to itself");
}

async function assertFault(
	keyring: Keyring,
	sealed: string,
	reason: KeyringFault["reason"],
	message: string,
	context = CONTEXT,
): Promise<void> {
	const fault = await rejectionOf(() => keyring.open(sealed, context));
	assert(isKeyringFault(fault), `${message} rejects with a KeyringFault`);
	assertSame(fault.reason, reason, `why ${message} is not opened`);
}
