// `reelkeep quarantine ls | show | redrive`: their flags and their help. What they need is loaded when they run.

import { Command } from "commander";
import { dataOption, eventsOption, keyFileOption, repeatable, storageOptions } from "./options.js";
import type { QuarantineListFlags } from "./quarantine-list.js";
import type { QuarantineRedriveFlags } from "./quarantine-redrive.js";
import type { QuarantineShowFlags } from "./quarantine-show.js";

/** `program`: whose settings they inherit. */
export function quarantineCommand(program: Command, setExitCode: (code: number) => void): Command {
	const quarantine = new Command("quarantine").description(
		"look at authentic callbacks that could not be decoded, and take them up once they can be",
	);
	quarantine.copyInheritedSettings(program);
	for (const command of [listCommand(), showCommand(), redriveCommand(setExitCode)]) {
		quarantine.addCommand(command.copyInheritedSettings(program));
	}
	return quarantine;
}

function listCommand(): Command {
	return new Command("ls")
		.description("list what is in quarantine, oldest first; beside a running server too")
		.addOption(dataOption())
		.addOption(eventsOption())
		.option("--all", "also what was redriven", false)
		.option("--json", "one JSON object a line", false)
		.action(async (flags: QuarantineListFlags) => {
			const { listQuarantine } = await import("./quarantine-list.js");
			await listQuarantine(flags, process.env);
		});
}

function showCommand(): Command {
	return new Command("show")
		.description("show one quarantined callback; beside a running server too")
		.argument("<id>", "as `ls` prints it, or its stream; its beginning will do")
		.addOption(dataOption())
		.addOption(eventsOption())
		.option("--reveal-body", "print its body: it may hold a download link, which is a secret", false)
		.addOption(keyFileOption())
		.option("--json", "print one JSON object", false)
		.action(async (id: string, flags: QuarantineShowFlags) => {
			const { showQuarantined } = await import("./quarantine-show.js");
			await showQuarantined(id, flags, process.env);
		});
}

function redriveCommand(setExitCode: (code: number) => void): Command {
	const command = new Command("redrive")
		.description(
			"decode quarantined callbacks again, with this release's codec, and report those that can be; Reelkeep on a data directory must be stopped",
		)
		.argument("[id...]", "as `ls` prints them, or their streams; their beginnings will do")
		.addOption(dataOption())
		.addOption(eventsOption())
		.option("--all", "everything that is in quarantine", false)
		.option("--dry-run", "change nothing, and say what would come of it; beside a running server too", false)
		.addOption(
			repeatable(
				"--app-projects <KEY=P,...>",
				"as for `serve`: the projects that an app may report about; also REELKEEP_APP_PROJECTS",
			),
		);
	for (const option of storageOptions()) command.addOption(option);
	return command
		.option("--json", "one JSON object a line", false)
		.addHelpText(
			"after",
			"\nExit code: 0 none of them is in quarantine any more, 1 some are, or something failed, 2 called in a wrong way.",
		)
		.action(async (ids: readonly string[], flags: QuarantineRedriveFlags) => {
			const { redriveQuarantined } = await import("./quarantine-redrive.js");
			setExitCode(await redriveQuarantined(ids, flags, process.env));
		});
}
