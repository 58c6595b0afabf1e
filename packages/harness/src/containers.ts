// What makes a container a container, without one: a process in PID, mount, UTS, IPC and network namespaces of its own,
// with a volume that others share. By `unshare` of util-linux.

import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface ContainerOptions {
	readonly host: string;
	/** A directory of this machine; the script finds it at a path of the container's own. */
	readonly volume: string;
	/** An ES module for this Node; its first argument is where the volume is. */
	readonly script: string;
	/** The script is process 1; or it is not, and a shell is. Default: it is. */
	readonly isInit?: boolean;
}

export interface Container {
	/** What the script has printed, and what not yet. */
	nextLine(): Promise<string>;
	/** Gives the script a line to read, and resolves with the next that it prints. */
	ask(line: string): Promise<string>;
	tell(line: string): void;
	/** `kill -9` of its process 1 from outside, and so of all in it. Resolves when they are gone. */
	kill(): Promise<void>;
}

/** Why there can be no such container here. */
export interface NoContainers {
	readonly reason: string;
	/** Whether something could be installed against it. */
	readonly isMendable: boolean;
}

const NAMESPACES = ["--pid", "--fork", "--mount", "--mount-proc", "--uts", "--ipc", "--net", "--kill-child"];
/** Who is not root is root in a user namespace, where the system allows that. */
const AS_USER = ["--user", "--map-root-user"];
const SETUP = 'mount --bind "$1" "$2" && hostname "$3" && shift 3 &&';
const EXIT_TIME_MS = 5_000;

let unshareFlags: readonly string[] = NAMESPACES;

/** Tries it out; `undefined`: there can be containers. */
export function whyNoContainers(): NoContainers | undefined {
	if (process.platform !== "linux") {
		return { reason: `${process.platform} has no namespaces`, isMendable: false };
	}
	const here = mkdtempSync(join(tmpdir(), "reelkeep-container-"));
	let refusal = "";
	try {
		for (const flags of [NAMESPACES, [...AS_USER, ...NAMESPACES]]) {
			const parameters = ["sh", "-c", `${SETUP} true`, "sh", here, here, "probe"];
			const { error, status, stderr } = spawnSync("unshare", [...flags, ...parameters], { encoding: "utf8" });
			if (error !== undefined) return { reason: "util-linux's unshare is missing", isMendable: true };
			if (status === 0) {
				unshareFlags = flags;
				return undefined;
			}
			refusal ||= stderr.trim().split("\n")[0] ?? "";
		}
		return { reason: refusal, isMendable: false };
	} finally {
		rmSync(here, { recursive: true });
	}
}

/** Starts a container. Whoever starts it kills it. */
export function startContainer({ host, volume, script, isInit = true }: ContainerOptions): Container {
	const mountPoint = mkdtempSync(join(tmpdir(), `reelkeep-volume-${host}-`));
	const run = isInit ? 'exec "$@"' : '{ "$@" <&3 & wait; }';
	const node = [process.execPath, "--input-type=module", "-e", script, mountPoint];
	const child = spawn(
		"unshare",
		[...unshareFlags, "sh", "-c", `exec 3<&0; ${SETUP} ${run}`, "sh", volume, mountPoint, host, ...node],
		{ stdio: ["pipe", "pipe", "pipe"] },
	);
	const nextLine = readLines(child);
	const tell = (line: string): void => void child.stdin.write(`${line}\n`);
	return {
		nextLine,
		tell,
		ask(line) {
			tell(line);
			return nextLine();
		},
		async kill() {
			if (child.exitCode === null && child.signalCode === null) {
				const gone = once(child, "close", { signal: AbortSignal.timeout(EXIT_TIME_MS) });
				// `unshare` itself would end first, and only tell its child to.
				for (const pid of childrenOf(child.pid)) process.kill(pid, "SIGKILL");
				await gone;
			}
			rmSync(mountPoint, { recursive: true, force: true });
		},
	};
}

function readLines(child: ChildProcessWithoutNullStreams): () => Promise<string> {
	const lines: string[] = [];
	const waiting: ((line: string) => void)[] = [];
	const give = (line: string): void => {
		const next = waiting.shift();
		if (next === undefined) lines.push(line);
		else next(line);
	};
	createInterface({ input: child.stdout }).on("line", give);
	let errors = "";
	child.stderr.on("data", (chunk: Buffer) => {
		errors += chunk.toString("utf8");
	});
	child.stdin.on("error", () => undefined);
	child.on("error", ({ message }) => give(message));
	child.on("close", (code, signal) => give(`ended ${code ?? signal}: ${errors}`));
	return async () => lines.shift() ?? new Promise((resolve) => waiting.push(resolve));
}

/** The processes that `pid` has started, by their numbers out here. */
function childrenOf(pid: number | undefined): readonly number[] {
	const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
	return children.split(" ").filter(Boolean).map(Number);
}
