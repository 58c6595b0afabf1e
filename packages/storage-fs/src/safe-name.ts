// File names for names that others chose.

import { createHash } from "node:crypto";

/**
 * 64 hex digits: the SHA-256 of `name` as JSON text. JSON, because it tells apart strings that UTF-8 does not
 * (lone surrogates); by hand: `printf '"%s"' NAME | sha256sum`.
 */
export function safeName(name: string): string {
	return createHash("sha256").update(JSON.stringify(name)).digest("hex");
}
