// `reelkeep explain-signature`: why the signature of one captured request fails, one finding a line. Prints no secret,
// no signature and nothing that a parameter holds.

import { createReadStream } from "node:fs";
import { explainSignature, type SignatureFinding } from "@reelkeep/adapter-http/explain";
import { readAppsConfig } from "./apps-config.js";
import { MAX_CAPTURE_BYTES, readCapturedRequest } from "./captured-request.js";
import { parseTime } from "./flag-values.js";
import { UsageError } from "./flags.js";
import { printable, printLines } from "./output.js";
import { readVerifierConfig, type VerifierFlags } from "./verifier-config.js";

export interface ExplainSignatureFlags extends VerifierFlags {
	readonly app?: readonly string[];
	readonly appsFile?: string;
	readonly at?: string;
	readonly path?: string;
	readonly json: boolean;
}

/** What the process ends with when the request would be refused. */
const EXIT_REFUSED = 1;

/**
 * Explains the request in `file`; `-` and none are standard input. Resolves with the exit code: 0 when the request would
 * be accepted, else 1. *Errors*: rejects with a `UsageError`.
 */
export async function explainCapture(
	file: string | undefined,
	flags: ExplainSignatureFlags,
): Promise<number> {
	const options = readOptions(flags, process.env);
	const request = await readCapturedRequest(await readInput(file));
	const findings = await explainSignature(request, options).catch(asUsageError);
	const told = flags.at === undefined && isOnlyLate(findings) ? [...findings, OLD_CAPTURE] : findings;
	await printLines(
		told.map((finding) => (flags.json ? JSON.stringify(finding) : printable(lineOf(finding)))),
	);
	return told.some(({ severity }) => severity === "problem") ? EXIT_REFUSED : 0;
}

const OLD_CAPTURE = {
	_tag: "received-when",
	severity: "note",
	message: "that is against the clock of now; for an older capture say when it was received: --at TIME",
} as const;

function lineOf({ severity, message }: Pick<SignatureFinding, "severity" | "message">): string {
	return `${severity}: ${message}`;
}

function isOnlyLate(findings: readonly SignatureFinding[]): boolean {
	const problems = findings.filter(({ severity }) => severity === "problem");
	return problems.length > 0 && problems.every(({ _tag }) => _tag === "timestamp-off");
}

function readOptions(
	flags: ExplainSignatureFlags,
	environment: NodeJS.ProcessEnv,
): Parameters<typeof explainSignature>[1] {
	const { REELKEEP_APPS } = environment;
	// Projects are none of a signature's business, so their variable is not read.
	const { apps } = readAppsConfig(flags, REELKEEP_APPS === undefined ? {} : { REELKEEP_APPS });
	if (Object.keys(apps).length === 0) {
		throw new UsageError(
			"no app is known: give --apps-file FILE (lines KEY=SECRET), --app KEY=SECRET or REELKEEP_APPS",
		);
	}
	return {
		apps,
		now: parseTime("--at", flags.at) ?? Date.now(),
		...readVerifierConfig(flags, environment),
		...(flags.path ? { path: flags.path } : {}),
	};
}

/** *Errors*: rejects with a `UsageError` when there is nothing to read, or too much. */
async function readInput(file: string | undefined): Promise<Buffer> {
	if (file === undefined && process.stdin.isTTY) {
		throw new UsageError("which request? Give a FILE that holds one, or - and type it");
	}
	const isStandardInput = file === undefined || file === "-";
	const chunks: Buffer[] = [];
	let bytes = 0;
	try {
		for await (const chunk of isStandardInput ? process.stdin : createReadStream(file)) {
			chunks.push(chunk);
			bytes += chunk.length;
			if (bytes > MAX_CAPTURE_BYTES) break;
		}
	} catch (error) {
		const { code = "unreadable" } = error as NodeJS.ErrnoException;
		throw new UsageError(`cannot read ${isStandardInput ? "standard input" : file}: ${code}`);
	}
	if (bytes <= MAX_CAPTURE_BYTES) return Buffer.concat(chunks);
	throw new UsageError(
		`the capture is longer than ${MAX_CAPTURE_BYTES / 1024} KiB: expected one request, and no video`,
	);
}

/** Apps that no verifier takes; the message names the app, never a secret. */
function asUsageError(error: unknown): never {
	throw error instanceof TypeError ? new UsageError(error.message) : error;
}
