// The commands, their flags and their help. What a command needs is loaded when it runs: looking into a store does not
// wait for the server's parts.

import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import type { ArchiveFlags } from "./archive-command.js";
import { archiveOptions, progressOption, waitOption } from "./archive-options.js";
import type { BackupFlags } from "./backup-command.js";
import { type CopyFlags, copyOptions } from "./copy-options.js";
import type { DoctorFlags } from "./doctor-command.js";
import type { EventsFlags } from "./events-command.js";
import type { ExplainSignatureFlags } from "./explain-signature-command.js";
import {
	appOptions,
	DEFAULT_HTTP,
	dataOption,
	eventsOption,
	grpcOptions,
	keyFileOption,
	logLevelOption,
	networkFileSystemOption,
	pathOption,
	repeatable,
	storageOptions,
	verifierOptions,
	videosOption,
} from "./options.js";
import type { OutputFlags } from "./progress-display.js";
import { quarantineCommand } from "./quarantine-command.js";
import { type RecordingsFlags, recordingsOptions } from "./recordings-options.js";
import type { RepairFlags } from "./repair-command.js";
import type { ServeFlags } from "./serve-config.js";
import type { VerifyFlags } from "./verify-command.js";

/** *Shape*: `setExitCode` is told what the process ends with when a command has run. */
export function createProgram(setExitCode: (code: number) => void): Command {
	const program = new Command("reelkeep")
		.description(
			"Receives ScreenRecordCallbacks, stores them as events, and keeps the videos before their links die.",
		)
		.version(version())
		.showHelpAfterError("(reelkeep COMMAND --help lists the options)")
		.exitOverride();
	const looking = [eventsCommand(), recordingsCommand(), explainSignatureCommand(setExitCode)];
	const keeping = [verifyCommand, repairCommand, doctorCommand, backupCommand, copyCommand].map((make) =>
		make(setExitCode),
	);
	const working = [serveCommand(setExitCode), archiveCommand(setExitCode)];
	for (const command of [...working, ...looking, ...keeping]) {
		program.addCommand(command.copyInheritedSettings(program));
	}
	program.addCommand(quarantineCommand(program, setExitCode));
	return program;
}

function serveCommand(setExitCode: (code: number) => void): Command {
	const serve = withOptions(new Command("serve"), [
		dataOption(),
		eventsOption(),
		videosOption(),
		new Option("--http <address>", "where to listen: HOST:PORT (port 0: any free one) or off")
			.env("REELKEEP_HTTP")
			.default(DEFAULT_HTTP),
		...appOptions(),
		...verifierOptions(),
		pathOption(),
		...grpcOptions(),
	])
		.description("receive callbacks over HTTP and gRPC and archive their videos, until SIGTERM")
		.addOption(
			new Option("--failure-answer <kind>", "how a sender is asked to send again")
				.env("REELKEEP_FAILURE_ANSWER")
				.choices(["isp", "consume-state-0"])
				.default("isp"),
		)
		.addOption(
			repeatable(
				"--app-projects <KEY=P,...>",
				"the projects that an app may report about, * for all; also REELKEEP_APP_PROJECTS, separated by semicolons",
			),
		)
		.addOption(
			new Option(
				"--rate-limit <n>",
				"reports a second that each app may send; SDKs do not repeat what is over it (default: no limit)",
			).env("REELKEEP_RATE_LIMIT"),
		)
		.addOption(
			new Option(
				"--quarantine-callbacks <n>",
				"undecodable callbacks that are kept of each app (default: 10000)",
			).env("REELKEEP_QUARANTINE_CALLBACKS"),
		)
		.addOption(
			new Option("--quarantine-mib <n>", "and how large they may be together (default: 256)").env(
				"REELKEEP_QUARANTINE_MIB",
			),
		);
	return withOptions(serve, [
		...storageOptions(),
		...archiveOptions(),
		progressOption(),
		logLevelOption(),
	]).action(async (flags: ServeFlags & OutputFlags) => {
		const { serveConfig } = await import("./serve-config.js");
		const config = serveConfig(flags, process.env);
		const { serve } = await import("./serve.js");
		setExitCode(await serve(config, flags));
	});
}

function archiveCommand(setExitCode: (code: number) => void): Command {
	return withOptions(new Command("archive"), [
		dataOption(),
		...storageOptions(),
		...archiveOptions(),
		waitOption(),
		progressOption(),
		logLevelOption("warn"),
	])
		.description(
			"archive what is pending, then exit: `serve` without callbacks, for a job; not beside a running server, which archives by itself",
		)
		.option("--json", "print one JSON object", false)
		.addHelpText(
			"after",
			"\nExit code: 0 nothing that was pending is lost or waits, 1 some of it is lost or waits, 2 called in a wrong way.",
		)
		.action(async (flags: ArchiveFlags) => {
			const { archive } = await import("./archive-command.js");
			setExitCode(await archive(flags, process.env));
		});
}

function eventsCommand(): Command {
	return new Command("events")
		.description("print the event log, one JSON event a line, oldest first; beside a running server too")
		.addOption(dataOption())
		.addOption(eventsOption())
		.option("--after <position>", "only what is behind this position")
		.option("--stream <name>", "only this stream")
		.option("--reveal-links", "print download links whole: they are secrets", false)
		.addOption(keyFileOption())
		.action(async (flags: EventsFlags) => {
			const { printEvents } = await import("./events-command.js");
			await printEvents(flags, process.env);
		});
}

function recordingsCommand(): Command {
	return withOptions(new Command("recordings"), [dataOption(), eventsOption(), ...recordingsOptions()])
		.description("print what became of every recording; beside a running server too")
		.option("--json", "one JSON object a line", false)
		.action(async (flags: RecordingsFlags) => {
			const { printRecordings } = await import("./recordings-command.js");
			await printRecordings(flags, process.env);
		});
}

function verifyCommand(setExitCode: (code: number) => void): Command {
	return new Command("verify")
		.description(
			"read the whole event log and tell what is damaged; changes nothing; beside a running server too",
		)
		.addOption(dataOption())
		.option("--json", "print one JSON object", false)
		.addHelpText(
			"after",
			"\nExit code: 0 it is sound, 1 it is damaged or cannot be read, 2 called in a wrong way.",
		)
		.action(async (flags: VerifyFlags) => {
			const { verify } = await import("./verify-command.js");
			setExitCode(await verify(flags));
		});
}

function repairCommand(setExitCode: (code: number) => void): Command {
	return new Command("repair")
		.description(
			"make a damaged event log whole again: keeps what can be read, and damaged bytes aside; Reelkeep must be stopped",
		)
		.addOption(dataOption())
		.addOption(networkFileSystemOption())
		.option("--json", "print one JSON object", false)
		.addHelpText("after", "\nCopy the data directory first. It can be run again when it was cut short.")
		.action(async (flags: RepairFlags) => {
			const { repair } = await import("./repair-command.js");
			setExitCode(await repair(flags, process.env));
		});
}

function doctorCommand(setExitCode: (code: number) => void): Command {
	return new Command("doctor")
		.description(
			"tell where event log and videos do not agree; changes nothing, beside a running server too, unless --fix is given",
		)
		.addOption(dataOption())
		.option("--hashes", "read every video, and compare its SHA-256 with its receipt", false)
		.option("--fix", "mend what can be mended; Reelkeep must be stopped", false)
		.option(
			"--all-missing",
			"with --fix: mend missing videos also when every kept one is missing, which looks like a disk that is not mounted",
			false,
		)
		.addOption(networkFileSystemOption())
		.option("--json", "print one JSON object", false)
		.addHelpText(
			"after",
			"\nExit code: 0 they agree, 1 something is wrong and not mended, or cannot be read, 2 called in a wrong way.",
		)
		.action(async (flags: DoctorFlags) => {
			const { doctor } = await import("./doctor-command.js");
			setExitCode(await doctor(flags, process.env));
		});
}

function backupCommand(setExitCode: (code: number) => void): Command {
	return new Command("backup")
		.description("copy the store to another directory, whole and consistent; beside a running server too")
		.addOption(dataOption())
		.option(
			"--to <directory>",
			"where to: it is empty, does not exist, or has an earlier backup of the store",
		)
		.option("--no-videos", "leave the videos out")
		.option("--with-keys", "take the key file along; by default keys are backed up apart", false)
		.addOption(keyFileOption())
		.option("--json", "print one JSON object", false)
		.addHelpText("after", "\nThe copy is a data directory: reelkeep serve --data COPY restores it.")
		.action(async (flags: BackupFlags) => {
			const { backUp } = await import("./backup-command.js");
			setExitCode(await backUp(flags));
		});
}

function copyCommand(setExitCode: (code: number) => void): Command {
	return withOptions(new Command("copy"), copyOptions())
		.description(
			"copy a store to another place, from a data directory to PostgreSQL or back, and verify it; beside a running server too",
		)
		.addHelpText(
			"after",
			"\nTo move a store: copy it while its server runs, stop the server, run the same command again, start on the copy." +
				"\nExit code: 0 it is whole, 1 some videos are lacking or it failed, 2 called in a wrong way.",
		)
		.action(async (flags: CopyFlags) => {
			const { copy } = await import("./copy-command.js");
			setExitCode(await copy(flags, process.env));
		});
}

function explainSignatureCommand(setExitCode: (code: number) => void): Command {
	return withOptions(new Command("explain-signature"), [...appOptions(), ...verifierOptions(), pathOption()])
		.description(
			"say why the signature of a captured request fails, or that it matches; prints no secret, no signature and no value",
		)
		.argument(
			"[file]",
			"one HTTP request as it was sent: request line, headers, body (- or none: standard input)",
		)
		.option(
			"--at <time>",
			"when it was received: 2026-11-23T12:00:00+08:00, or milliseconds since 1970 (default: now)",
		)
		.option("--json", "one JSON object a line: _tag, severity, message", false)
		.addHelpText(
			"after",
			"\nExit code: 0 it would be accepted, 1 it would be refused, 2 it was called in a wrong way.",
		)
		.action(async (file: string | undefined, flags: ExplainSignatureFlags) => {
			const { explainCapture } = await import("./explain-signature-command.js");
			setExitCode(await explainCapture(file, flags));
		});
}

function withOptions(command: Command, options: readonly Option[]): Command {
	for (const option of options) command.addOption(option);
	return command;
}

function version(): string {
	const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
	return String(manifest.version);
}
