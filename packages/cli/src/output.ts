// Writing to standard output: with back-pressure, and quietly ending when the reader has gone (`| head`).

import { once } from "node:events";
import { type Logger, silentLogger } from "@reelkeep/core";

/** Writes each line as it comes. Resolves when all are written or nobody reads any more; rejects when writing fails. */
export async function printLines(lines: AsyncIterable<string> | Iterable<string>): Promise<void> {
	const { stdout } = process;
	const gone = new AbortController();
	let failure: NodeJS.ErrnoException | undefined;
	stdout.on("error", (error: NodeJS.ErrnoException) => {
		failure ??= error;
		gone.abort();
	});
	for await (const line of lines) {
		if (gone.signal.aborted) break;
		if (!stdout.write(`${line}\n`))
			await once(stdout, "drain", { signal: gone.signal }).catch(() => undefined);
	}
	// What the last write came to is known a turn later.
	await new Promise((resolve) => setImmediate(resolve));
	if (failure !== undefined && failure.code !== "EPIPE") throw failure;
}

/** Text of others, fit for a terminal: no control characters, which could move the cursor or change what is seen. */
export function printable(text: string): string {
	return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd");
}

/** What goes wrong while a command looks into a store is said on standard error, as one line. */
export const warningsOnly: Logger = {
	...silentLogger,
	warn: (_details, message) => void process.stderr.write(`reelkeep: ${message}\n`),
	error: (_details, message) => void process.stderr.write(`reelkeep: ${message}\n`),
};
