// Where a JSON object ends that a text begins with: an object ends by itself, which a signed text's other parts do not.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

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
