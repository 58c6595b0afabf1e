#!/usr/bin/env node
// The entry of `reelkeep`. Faults end with one line that says what to do.

import { isKeyringFault, isStoreFault } from "@reelkeep/core/ports";
import { CommanderError } from "commander";
import { UsageError } from "./flags.js";
import { createProgram } from "./program.js";

/** Wrong flags or configuration; anything else that fails is 1. */
const EXIT_USAGE = 2;

// Nobody may read what is said there, or its disk may be full: that is no reason to stop, or to end with another code.
process.stderr.on("error", () => undefined);

// Compose files pass on variables that are empty: they say nothing.
for (const [name, value] of Object.entries(process.env)) {
	if (name.startsWith("REELKEEP_") && value === "") delete process.env[name];
}

try {
	await createProgram((code) => {
		process.exitCode = code;
	}).parseAsync();
} catch (error) {
	if (error instanceof CommanderError) {
		// Commander has said it, or shown the help or the version that were asked for.
		process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
	} else {
		process.stderr.write(`reelkeep: ${explain(error)}\n`);
		process.exitCode = error instanceof UsageError ? EXIT_USAGE : 1;
	}
}

function explain(error: unknown): string {
	if (error instanceof UsageError || isStoreFault(error) || isKeyringFault(error)) return error.message;
	const { code, message } = error as NodeJS.ErrnoException;
	if (code === "EADDRINUSE")
		return `the address is in use by another process; choose another --http or --grpc (${message})`;
	if (code === "EACCES") return `not permitted: ${message}`;
	if (code === "ENOTFOUND" || code === "EADDRNOTAVAIL")
		return `--http or --grpc names no address of this machine (${message})`;
	return error instanceof Error ? `${error.name}: ${error.message}` : "failed";
}
