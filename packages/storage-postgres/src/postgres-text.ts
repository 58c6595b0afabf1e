// Text as PostgreSQL takes it: it has no NUL, and UTF-8 has no half surrogate pairs. What JSON escapes is kept as JSON
// writes it, so that any two strings stay two; ordinary names and ids are unchanged.

export function toText(text: string): string {
	return JSON.stringify(text).slice(1, -1);
}

export function fromText(text: string): string {
	return text.includes("\\") ? (JSON.parse(`"${text}"`) as string) : text;
}
