// Runs the real `reelkeep` on a pseudo-terminal, which `script` of util-linux makes.

import { spawn, spawnSync } from "node:child_process";
import { transcribe } from "@reelkeep/harness/transcript";
import { createTestTerminal } from "./test-terminal.js";

/** Other systems have a `script` with other flags. */
export const HAS_PSEUDO_TERMINALS =
	process.platform === "linux" && spawnSync("script", ["--version"]).stdout?.includes("util-linux") === true;

export interface TerminalRun {
	/** What the terminal shows and has shown; lines that wrapped are one. */
	lines(): Promise<readonly string[]>;
	/** Types, e.g. `\u0003` for Ctrl-C. */
	type(keys: string): void;
	/** The exit code. */
	readonly ended: Promise<number | null>;
	kill(): void;
}

/** Starts `command`, whose words need no quotes, on a terminal of its own. */
export function runOnTerminal(
	command: readonly string[],
	{ columns = 100, rows = 24, environment = {} as Readonly<Record<string, string>> } = {},
): TerminalRun {
	const terminal = createTestTerminal({ columns, rows });
	const script = `stty cols ${columns} rows ${rows}; exec ${command.join(" ")}`;
	const child = spawn("script", ["-qec", script, "/dev/null"], {
		stdio: ["pipe", "pipe", "inherit"],
		env: { ...process.env, CI: "", TERM: "xterm", ...environment },
	});
	child.stdout.setEncoding("utf8").on("data", (text: string) => {
		transcribe("cli", text);
		terminal.stream.write(text);
	});
	return {
		lines: terminal.lines,
		type: (keys) => void child.stdin.write(keys),
		ended: new Promise((resolve) => child.once("close", resolve)),
		kill: () => void child.kill("SIGKILL"),
	};
}
