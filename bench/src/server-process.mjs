// A server in a process of its own: it prints one line when it is ready, and ends with its standard input.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** `line`: what it printed. Rejects when it ends before that. */
export async function startServer(program, args, env = {}) {
	const file = fileURLToPath(new URL(program, import.meta.url));
	const child = spawn(process.execPath, [file, ...args.map(String)], {
		stdio: ["pipe", "pipe", "inherit"],
		env: { ...process.env, ...env },
	});
	const ended = once(child, "exit");
	const failed = ended.then(([code]) => {
		throw new Error(`${program} ${args[0]} ended with ${code}`);
	});
	failed.catch(() => undefined);
	const [line] = await Promise.race([once(createInterface({ input: child.stdout }), "line"), failed]);
	return {
		line,
		pid: child.pid,
		async stop() {
			child.stdin.end();
			await ended;
		},
	};
}
