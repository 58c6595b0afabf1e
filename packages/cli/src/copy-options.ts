// The flags of `reelkeep copy`. Loads nothing of the core: every command reads this.

import { Option } from "commander";
import { logLevelOption, networkFileSystemOption } from "./options.js";
import type { OutputFlags } from "./progress-display.js";
import type { NetworkFileSystemFlags } from "./storage-config.js";

export interface CopyFlags extends OutputFlags, NetworkFileSystemFlags {
	readonly from?: string;
	readonly fromKeyFile?: string;
	readonly fromVideos?: string;
	readonly to?: string;
	readonly toKeyFile?: string;
	readonly toVideos?: string;
	/** `false`: they stay where they are. */
	readonly videos: boolean;
	readonly json: boolean;
}

const PASSWORD = "a password goes into";

export function copyOptions(): readonly Option[] {
	return [
		new Option(
			"--from <store>",
			`the store that is copied: a data directory, or postgres://USER@HOST/DATABASE; ${PASSWORD} REELKEEP_FROM`,
		).env("REELKEEP_FROM"),
		new Option("--from-key-file <file>", "its keys (default: keys.json in its data directory)"),
		new Option(
			"--from-videos <store>",
			"the data directory of its videos, or s3://BUCKET/PREFIX as --videos of serve takes it (default: --from)",
		),
		new Option(
			"--to <store>",
			`where to: nothing, or a copy that was begun from the same store; ${PASSWORD} REELKEEP_TO`,
		).env("REELKEEP_TO"),
		new Option("--to-key-file <file>", "where its keys go (default: keys.json in its data directory)"),
		new Option("--to-videos <store>", "the data directory for its videos, or s3://… (default: --to)"),
		new Option("--no-videos", "leave the videos where they are"),
		networkFileSystemOption(),
		new Option("--no-progress", "show no progress"),
		logLevelOption("warn"),
		new Option("--json", "print one JSON object").default(false),
	];
}
