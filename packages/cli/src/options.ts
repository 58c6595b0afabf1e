// Flags that several commands take.

import { Option } from "commander";

/** Which apps are known, and with which secrets. */
export function appOptions(): readonly Option[] {
	return [
		repeatable(
			"--app <KEY=SECRET>",
			"an app that may report; KEY:NAME=SECRET for each of several secrets; also REELKEEP_APPS, separated by commas",
		),
		new Option("--apps-file <file>", "apps that may report, one KEY=SECRET a line").env("REELKEEP_APPS_FILE"),
	];
}

/** How callbacks are verified. */
export function verifierOptions(): readonly Option[] {
	return [
		new Option("--verify <direction>", "who calls: SDKs as their gateway (top), or the platform itself (spi)")
			.env("REELKEEP_VERIFY")
			.choices(["top", "spi"])
			.default("top"),
		repeatable(
			"--signed-header <name>",
			"with --verify spi: a header that may be signed (default: x-top-trace); also REELKEEP_SIGNED_HEADER, separated by commas",
		),
		new Option("--clock-tolerance <duration>", "how far a request's timestamp may be off, either way")
			.env("REELKEEP_CLOCK_TOLERANCE")
			.default("10m"),
	];
}

export function pathOption(): Option {
	return new Option(
		"--path <path>",
		"where callbacks come to (default: /router/rest, or /spi with --verify spi)",
	).env("REELKEEP_PATH");
}

export function dataOption(): Option {
	return new Option("--data <directory>", "where events and videos are kept").env("REELKEEP_DATA");
}

export function keyFileOption(): Option {
	return new Option(
		"--key-file <file>",
		"the keys that seal links (default: keys.json in the data directory)",
	).env("REELKEEP_KEY_FILE");
}

export function repeatable(flags: string, description: string): Option {
	return new Option(flags, `${description} (repeatable)`).argParser(
		(value: string, previous: readonly string[] = []) => [...previous, value],
	);
}
