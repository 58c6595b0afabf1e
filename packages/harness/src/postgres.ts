// A real PostgreSQL for tests: the one that REELKEEP_TEST_POSTGRES names (a connection string of a superuser), else a
// server of their own, on a free port of 127.0.0.1, from the machine's `postgres` and `initdb`.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "./free-port.js";

/** Where Debian puts them, and does not put them on the PATH. */
const DEBIAN = "/usr/lib/postgresql";
const READY_TRIES = 200;

export interface TestPostgres {
	readonly connectionString: string;
	/** The same by a Unix socket; absent with a server that was there before. */
	readonly socketString?: string;
	/** Whether `restart` and `kill` work: not with a server that was there before. */
	readonly isOwn: boolean;
	/** Shuts the server down, breaking off what is under way, and starts it again. */
	restart(): Promise<void>;
	/** As `restart`, but the server is killed, and what it did not write is lost. */
	kill(): Promise<void>;
	stop(): Promise<void>;
}

/** The folder of PostgreSQL's programs; `undefined` where it is not installed. */
export function postgresPrograms(): string | undefined {
	const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
	const folders = [
		...versions.map((version) => join(DEBIAN, version, "bin")),
		...(process.env.PATH ?? "").split(delimiter),
	];
	return folders.find((folder) => existsSync(join(folder, "postgres")) && existsSync(join(folder, "initdb")));
}

/** Why there is no server to test with; `undefined`: there is one. */
export function postgresMissing(): string | undefined {
	if (process.env.REELKEEP_TEST_POSTGRES !== undefined || postgresPrograms() !== undefined) return undefined;
	return "PostgreSQL is not installed (Debian: postgresql), and REELKEEP_TEST_POSTGRES names no server";
}

/** Starts a server with so many connections; `isOwn`: also where one is named. Throws where there is none. */
export async function startPostgres({ maxConnections = 100, isOwn = false } = {}): Promise<TestPostgres> {
	const named = process.env.REELKEEP_TEST_POSTGRES;
	if (named !== undefined && !isOwn) return givenServer(named);
	const programs = postgresPrograms();
	if (programs === undefined) throw new Error(postgresMissing());
	const user = serverUser();
	const folder = mkdtempSync(join(tmpdir(), "reelkeep-postgres-"));
	const data = join(folder, "data");
	mkdirSync(data);
	if (user.uid !== undefined && user.gid !== undefined) {
		chownSync(folder, user.uid, user.gid);
		chownSync(data, user.uid, user.gid);
	}
	chmodSync(data, 0o700);
	const initialize = ["-D", data, "-U", "reelkeep", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
	execFileSync(join(programs, "initdb"), initialize, { ...user, stdio: "ignore", cwd: folder });
	const port = await freePort();
	const settings = [
		`port=${port}`,
		"listen_addresses=127.0.0.1",
		`unix_socket_directories=${folder}`,
		`max_connections=${maxConnections}`,
		"log_min_messages=fatal",
	];
	const start = async (): Promise<ChildProcess> => {
		const options = settings.flatMap((setting) => ["-c", setting]);
		const server = spawn(join(programs, "postgres"), ["-D", data, ...options], {
			...user,
			stdio: "ignore",
			cwd: folder,
		});
		await whenReady(programs, port, server);
		return server;
	};
	let server = await start();
	const end = async (signal: NodeJS.Signals): Promise<void> => {
		if (server.exitCode !== null || server.signalCode !== null) return;
		const ended = once(server, "exit");
		server.kill(signal);
		await ended;
	};
	return {
		connectionString: `postgres://reelkeep@127.0.0.1:${port}/postgres`,
		socketString: `postgres://reelkeep@/postgres?host=${encodeURIComponent(folder)}&port=${port}`,
		isOwn: true,
		async restart() {
			await end("SIGINT");
			server = await start();
		},
		async kill() {
			// At once, as a crash is: SIGKILL of the postmaster alone would leave its children.
			await end("SIGQUIT");
			server = await start();
		},
		async stop() {
			await end("SIGINT");
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

function givenServer(connectionString: string): TestPostgres {
	const cannot = async (): Promise<void> => {
		throw new Error("the server of REELKEEP_TEST_POSTGRES is not ours to restart");
	};
	return { connectionString, isOwn: false, restart: cannot, kill: cannot, stop: async () => undefined };
}

/** PostgreSQL refuses to be root: then it is Debian's user for it. */
function serverUser(): { readonly uid?: number; readonly gid?: number } {
	if (process.getuid?.() !== 0) return {};
	const idOf = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
	return { uid: idOf("-u"), gid: idOf("-g") };
}

async function whenReady(programs: string, port: number, server: ChildProcess): Promise<void> {
	for (let left = READY_TRIES; left > 0; left -= 1) {
		if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode}`);
		try {
			execFileSync(join(programs, "pg_isready"), ["-q", "-h", "127.0.0.1", "-p", String(port)]);
			return;
		} catch {
			await pause(50);
		}
	}
	server.kill("SIGQUIT");
	throw new Error("postgres does not get ready");
}
