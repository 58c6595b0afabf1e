// Everything that Reelkeep says during a test run — logs, errors, HTTP answers, CLI output — is appended to one
// folder, which is searched for secrets when the run ends (promise 8).

import { appendFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "node:util";
import type { Logger } from "@reelkeep/core/ports";

/** The variable that names the transcript's folder; unset: nothing is written. */
export const TRANSCRIPT_VARIABLE = "REELKEEP_TEST_TRANSCRIPT";

/** The app key and secret of the SDK captures. The secret is a common word, so tests of our own use `TEST_SECRET`. */
export const CAPTURE_APP_KEY = "12345678";
export const CAPTURE_SECRET = "helloworld";
/** An app secret that stands nowhere else, so that finding it is a leak. */
export const TEST_APP_KEY = "23456789";
export const TEST_SECRET = "test-secret-4f1c9a7be2d34c55";

/** What a signed link gives away, in each of its spellings. A masked query (`?***`) is no leak. */
const LEAKS: readonly { readonly what: string; readonly pattern: RegExp }[] = [
	{ what: "an app secret", pattern: /helloworld|test-secret-[0-9a-f]{16}/ },
	{
		what: "a signed link",
		pattern:
			/(?:Signature|OSSAccessKeyId|X-Amz-Signature|X-Amz-Credential|x-oss-signature|x-oss-credential|security-token)(?:=|%3D|%253D)(?!\*)[^\s"&]/i,
	},
];

/** Keeps one thing that Reelkeep said. `kind` tells where: `log`, `http`, `cli`, `error`. */
export function transcribe(kind: string, text: string): void {
	const folder = process.env[TRANSCRIPT_VARIABLE];
	if (folder === undefined || folder === "") return;
	mkdirSync(folder, { recursive: true });
	appendFileSync(join(folder, `${kind}-${process.pid}.log`), `${text}\n`);
}

/** A logger at level trace that writes to the transcript only; errors are kept with their stack and their causes. */
export function transcribingLogger(): Logger {
	const write =
		(level: string) =>
		(details: object, message: string): void =>
			transcribe("log", `${level} ${message} ${format("%o", details)}`);
	return {
		trace: write("trace"),
		debug: write("debug"),
		info: write("info"),
		warn: write("warn"),
		error: write("error"),
	};
}

/** What of `text` must not be there; each with the place, never with the secret itself. */
export function findLeaks(text: string): readonly { readonly what: string; readonly at: number }[] {
	return LEAKS.flatMap(({ what, pattern }) => {
		const at = text.search(pattern);
		return at === -1 ? [] : [{ what, at }];
	});
}

/** Searches a whole transcript folder; returns a line for each leak. */
export function findTranscriptLeaks(folder: string): readonly string[] {
	return readdirSync(folder).flatMap((name) =>
		readFileSync(join(folder, name), "utf8")
			.split("\n")
			.flatMap((line, index) => findLeaks(line).map(({ what }) => `${name}:${index + 1}: ${what}`)),
	);
}
