// What `explainSignature` says about raw bytes, for its tests; nothing that it says may give anything away.

import { takeApart } from "@reelkeep/harness/signed-body";
import { findLeaks, transcribe } from "@reelkeep/harness/transcript";
import { expect } from "vitest";
import { type ExplainSignatureOptions, explainSignature } from "../src/explain/explain-signature.js";
import { APPS, NOW_MS } from "./harness.js";

/** The findings as lines: `problem parameter-not-signed: customerId not signed…`. */
export async function explain(
	bytes: Buffer,
	options: Partial<ExplainSignatureOptions> = {},
): Promise<readonly string[]> {
	const findings = await explainSignature(takeApart(bytes), { apps: APPS, now: NOW_MS, ...options });
	const text = findings.map(({ _tag, severity, message }) => `${severity} ${_tag}: ${message}`).join("\n");
	transcribe("cli", text);
	expect(findLeaks(text)).toEqual([]);
	expect(text).not.toMatch(/[0-9a-f]{32}|2026-11/i);
	return text.split("\n");
}

export function problemsIn(lines: readonly string[]): readonly string[] {
	return lines.filter((line) => line.startsWith("problem "));
}

/** `bytes` with another body; `Content-Length` stays. */
export function withBody(bytes: Buffer, edit: (body: string) => string): Buffer {
	const [head = "", ...rest] = bytes.toString("latin1").split("\r\n\r\n");
	return Buffer.from(`${head}\r\n\r\n${edit(rest.join("\r\n\r\n"))}`, "latin1");
}

/** `bytes` with the first `from` changed, wherever it stands. */
export function withText(bytes: Buffer, from: string, to: string): Buffer {
	return Buffer.from(bytes.toString("latin1").replace(from, to), "latin1");
}
