// Where a JSON object ends that a text begins with: an object ends by itself, which a signed text's other parts do not. And
// what is written in it, character by character: parsed and written again, it would be another text.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;

/**
 * The place behind the object that `text` begins with; `undefined` when it begins with none, or with one that never ends.
 * Says nothing of what is inside it: only that braces outside of double-quoted strings are balanced.
 */
export function objectEnd(text: string): number | undefined {
	if (text.charCodeAt(0) !== OPEN) return undefined;
	let depth = 0;
	for (let at = 0; at < text.length; at++) {
		const character = text.charCodeAt(at);
		if (character === OPEN) depth += 1;
		else if (character === CLOSE && --depth === 0) return at + 1;
		else if (character === QUOTE) {
			at = stringEnd(text, at);
			if (at === -1) return undefined;
		}
	}
	return undefined;
}

/**
 * What is written as the value of a member, white space around it left out; of several members of that name the last, which
 * is the one that `JSON.parse` takes. `undefined`: there is none. *Shape*: `json` is a valid JSON object.
 */
export function memberSource(json: string, name: string): string | undefined {
	let depth = 0;
	let key = "";
	/** Where the value of `key` begins; -1 in front of it. */
	let from = -1;
	let found: string | undefined;
	for (let at = 0; at < json.length; at++) {
		const character = json.charCodeAt(at);
		if (character === QUOTE) {
			const end = stringEnd(json, at);
			if (end === -1) return undefined;
			if (depth === 1 && from === -1) key = json.slice(at, end + 1);
			at = end;
		} else if (character === OPEN || character === OPEN_LIST) depth += 1;
		else if (character === CLOSE || character === CLOSE_LIST) depth -= 1;
		else if (character === COLON && depth === 1 && from === -1) from = at + 1;
		const isEnd = (character === COMMA && depth === 1) || (character === CLOSE && depth === 0);
		if (!isEnd || from === -1) continue;
		if (JSON.parse(key) === name) found = json.slice(from, at).trim();
		from = -1;
	}
	return found;
}

/** The closing quote of the string that opens at `open`; -1: there is none. A quote behind a backslash closes nothing. */
function stringEnd(text: string, open: number): number {
	let at = open;
	do at = text.indexOf('"', at + 1);
	while (at !== -1 && isEscaped(text, at));
	return at;
}

function isEscaped(text: string, at: number): boolean {
	let backslashes = 0;
	while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
	return backslashes % 2 === 1;
}
