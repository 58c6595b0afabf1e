// Lines `OWNER=SECRET`, or `OWNER:NAME=SECRET` for each of an owner's several: apps and their secrets, callers and their
// tokens. Pure but for reading files.

import { readFileSync, statSync } from "node:fs";
import { UsageError } from "./flags.js";

/** How messages speak of them: `app` and `secret`, `caller` and `token`. */
export interface SecretWords {
	readonly owner: string;
	/** With its article: `an app`. */
	readonly anOwner: string;
	readonly secret: string;
	/** Where a file of them is named in messages. */
	readonly file: string;
	/** `KEY`, `CALLER`. */
	readonly ownerForm: string;
	readonly secretForm: string;
}

export interface SecretSource {
	readonly from: string;
	readonly lines: readonly string[];
	readonly warning?: string;
}

interface NamedSecret {
	readonly id: string;
	readonly secret: string;
}

/** What a secret without a name is called. */
const DEFAULT_ID = "default";

/** The lines of a file but its comments, and a warning when others can read it. *Errors*: throws a `UsageError`. */
export function readSecretsFile(path: string, { file }: SecretWords): SecretSource {
	try {
		const lines = readFileSync(path, "utf8")
			.split("\n")
			.map((line) => line.trim())
			.filter((line) => line !== "" && !line.startsWith("#"));
		return { from: path, lines, ...warnOfReaders(path) };
	} catch (error) {
		const { code = "unreadable" } = error as NodeJS.ErrnoException;
		throw new UsageError(`cannot read ${file} ${path}: ${code}`);
	}
}

export function warnOfReaders(file: string): { readonly warning?: string } {
	const isOpen = process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0;
	return isOpen ? { warning: `${file} can be read by others; chmod 600 it` } : {};
}

/** An owner has one secret, or several that are named. *Errors*: throws a `UsageError`, which never holds a secret. */
export function collectSecrets(
	sources: readonly SecretSource[],
	words: SecretWords,
): ReadonlyMap<string, readonly NamedSecret[]> {
	const owners = new Map<string, readonly NamedSecret[]>();
	for (const { lines, from } of sources) {
		for (const line of lines) {
			const { owner, id, secret } = parseLine(line, from, words);
			const known = owners.get(owner) ?? [];
			const same = known.find((one) => one.id === id);
			if (same === undefined) owners.set(owner, [...known, { id, secret }]);
			else if (same.secret !== secret) {
				throw new UsageError(`${from}: ${describeConflict(shown(owner), shown(id), words)}`);
			}
		}
	}
	return owners;
}

/** What is longer may be a secret that stands where its owner belongs. */
const MAX_SHOWN_CHARACTERS = 16;

function shown(owner: string): string {
	return owner.length <= MAX_SHOWN_CHARACTERS ? owner : `${owner.slice(0, 4)}…`;
}

function describeConflict(owner: string, id: string, words: SecretWords): string {
	const { secret, secretForm } = words;
	return id === DEFAULT_ID
		? `${words.owner} ${owner} has another ${secret} already; while one replaces another, name both: ${owner}:OLD=${secretForm} and ${owner}:NEW=${secretForm}`
		: `${words.owner} ${owner} has another ${secret} named ${id} already`;
}

function parseLine(
	line: string,
	from: string,
	words: SecretWords,
): { readonly owner: string; readonly id: string; readonly secret: string } {
	const { ownerForm, secretForm } = words;
	const at = line.indexOf("=");
	const [owner = "", id = DEFAULT_ID, ...more] = line.slice(0, Math.max(at, 0)).trim().split(":");
	const secret = line.slice(at + 1);
	if (at === -1 || owner === "" || id === "" || more.length > 0) {
		throw new UsageError(
			`${from}: ${words.anOwner} is written ${ownerForm}=${secretForm}, or ${ownerForm}:NAME=${secretForm} while it has several ${words.secret}s`,
		);
	}
	if (secret.trim() === "") {
		throw new UsageError(`${from}: the ${words.secret} of ${words.owner} ${shown(owner)} is empty`);
	}
	if (/\s#/.test(secret)) {
		throw new UsageError(
			`${from}: a comment stands behind the ${words.secret} of ${words.owner} ${shown(owner)}; give it a line of its own`,
		);
	}
	return { owner, id, secret };
}
