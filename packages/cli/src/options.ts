// Flags that several commands take, or that belong together.

import { Option } from "commander";

/** Where the receiver listens unless told otherwise. */
export const DEFAULT_HTTP = "127.0.0.1:8080";

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "silent"] as const;

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

/** gRPC, and who must prove what there. */
export function grpcOptions(): readonly Option[] {
	const option = (flags: string, description: string, variable: string): Option =>
		new Option(flags, description).env(`REELKEEP_GRPC_${variable}`);
	return [
		new Option(
			"--grpc <address>",
			"where to listen for gRPC: HOST:PORT (port 0: any free one) or off; another address than loopback needs one of the proofs below",
		)
			.env("REELKEEP_GRPC")
			.default("off"),
		option(
			"--grpc-token-file <file>",
			"who may call, one CALLER=TOKEN a line; CALLER:NAME=TOKEN for each of several tokens",
			"TOKEN_FILE",
		),
		repeatable(
			"--grpc-subscriber <name>",
			"a caller that may subscribe to events, and do nothing else; the others report; also REELKEEP_GRPC_SUBSCRIBER, separated by commas",
		),
		option("--grpc-tls-cert <file>", "the server's certificate chain, PEM", "TLS_CERT"),
		option("--grpc-tls-key <file>", "its key, PEM", "TLS_KEY"),
		option("--grpc-tls-client-ca <file>", "who signs the certificates of callers, PEM", "TLS_CLIENT_CA"),
		repeatable(
			"--grpc-tls-client <name>",
			"a certificate that may call, by its common name or a subject alternative name; also REELKEEP_GRPC_TLS_CLIENT, separated by commas",
		),
		option(
			"--grpc-verify <scheme>",
			"what each report must be signed with: an app's secret (top)",
			"VERIFY",
		).choices(["top"]),
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

export function eventsOption(): Option {
	return new Option(
		"--events <url>",
		"postgres://USER@HOST/DATABASE: events in PostgreSQL, for any number of processes with one --key-file (default: in the data directory); a password goes into REELKEEP_EVENTS, PGPASSWORD or ~/.pgpass",
	).env("REELKEEP_EVENTS");
}

export function videosOption(): Option {
	return new Option(
		"--videos <url>",
		"s3://BUCKET/PREFIX?region=…&endpoint=https://…: videos in object storage, S3's or OSS's (default: in the data directory); keys of it come from the environment, by the chain of the AWS SDK, or of Alibaba Cloud with credentials=aliyun",
	).env("REELKEEP_VIDEOS");
}

export function keyFileOption(): Option {
	return new Option(
		"--key-file <file>",
		"the keys that seal links (default: keys.json in the data directory)",
	).env("REELKEEP_KEY_FILE");
}

/** What is logged; `level` unless told otherwise. */
export function logLevelOption(level: (typeof LOG_LEVELS)[number] = "info"): Option {
	return new Option("--log-level <level>", "what to log to standard error")
		.env("REELKEEP_LOG_LEVEL")
		.choices(LOG_LEVELS)
		.default(level);
}

/** For a command that writes: its keys, how large its log may be, and on which disk. */
export function storageOptions(): readonly Option[] {
	return [
		keyFileOption(),
		new Option(
			"--max-events <n>",
			"how many events the log may hold, at about 20 bytes of memory each (default: 100000000)",
		).env("REELKEEP_MAX_EVENTS"),
		networkFileSystemOption(),
	];
}

/** For every command that writes into a data directory. */
export function networkFileSystemOption(): Option {
	return new Option(
		"--allow-network-file-system",
		"let the data directory lie on NFS, SMB and the like, which only this machine may ever mount (env: REELKEEP_ALLOW_NETWORK_FILE_SYSTEM, true or false)",
	);
}

export function repeatable(flags: string, description: string): Option {
	return new Option(flags, `${description} (repeatable)`).argParser(
		(value: string, previous: readonly string[] = []) => [...previous, value],
	);
}
