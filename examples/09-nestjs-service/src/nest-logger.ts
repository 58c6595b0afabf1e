import { inspect } from "node:util";
import type { Logger as NestLogger } from "@nestjs/common";
import type { Logger } from "@reelkeep/core/ports";

/** Nest's logger as Reelkeep's port: its levels and transports hold for both. */
export function nestLogger(nest: NestLogger): Logger {
	const write =
		(level: "verbose" | "debug" | "log" | "warn" | "error") =>
		(details: object, message: string): void =>
			nest[level](`${message} ${inspect(details, { breakLength: Number.POSITIVE_INFINITY })}`);
	return {
		trace: write("verbose"),
		debug: write("debug"),
		info: write("log"),
		warn: write("warn"),
		error: write("error"),
	};
}
