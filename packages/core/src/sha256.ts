// SHA-256 by the runtime where it can do that in one call, by @noble/hashes elsewhere (ADR 0037).

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

type HashOnce = (algorithm: "sha256", data: string | Uint8Array, encoding: "hex") => string;

/** Not imported: the core is to run where there is no `node:crypto`. */
const hashOnce = (globalThis as { readonly process?: Partial<NodeJS.Process> }).process?.getBuiltinModule?.(
	"node:crypto",
)?.hash as HashOnce | undefined;

/** *Shape*: of bytes, or of a text's UTF-8, where a lone surrogate is U+FFFD; lower-case hex. */
export const sha256Hex: (data: string | Uint8Array) => string =
	hashOnce === undefined ? sha256HexInJavaScript : (data) => hashOnce("sha256", data, "hex");

/** The same where the runtime has no such call. */
export function sha256HexInJavaScript(data: string | Uint8Array): string {
	return bytesToHex(sha256(typeof data === "string" ? utf8ToBytes(data) : data));
}
