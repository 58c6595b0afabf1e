// A real PgBouncer in front of a test's PostgreSQL, lending a connection for a transaction at a time.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "./free-port.js";

const PROGRAM = "/usr/sbin/pgbouncer";
const READY_TRIES = 100;

export interface TestPgBouncer {
	readonly connectionString: string;
	stop(): Promise<void>;
}

/** Why there is none to test with; `undefined`: there is one. */
export function pgBouncerMissing(): string | undefined {
	return existsSync(PROGRAM) ? undefined : "PgBouncer is not installed (Debian: pgbouncer)";
}

/** `connectionString`: of the server behind it, whose user needs no password. Throws where there is none. */
export async function startPgBouncer(connectionString: string): Promise<TestPgBouncer> {
	const missing = pgBouncerMissing();
	if (missing !== undefined) throw new Error(missing);
	const { hostname, port: serverPort, username, pathname } = new URL(connectionString);
	const database = pathname.slice(1);
	const folder = mkdtempSync(join(tmpdir(), "reelkeep-pgbouncer-"));
	const port = await freePort();
	const settings = join(folder, "pgbouncer.ini");
	writeFileSync(
		settings,
		`[databases]
${database} = host=${hostname} port=${serverPort} dbname=${database} user=${username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 8
max_client_conn = 200
log_connections = 0
log_disconnections = 0
log_stats = 0
`,
	);
	// It refuses to be root; then it reads its settings first, and becomes Debian's user for PostgreSQL.
	const as = process.getuid?.() === 0 ? ["--user", "postgres"] : [];
	const bouncer = spawn(PROGRAM, ["--quiet", ...as, settings], { stdio: "ignore" });
	await whenListening(port, bouncer);
	return {
		connectionString: `postgres://${username}@127.0.0.1:${port}/${database}`,
		async stop() {
			if (bouncer.exitCode === null && bouncer.signalCode === null) {
				const ended = once(bouncer, "exit");
				bouncer.kill("SIGQUIT");
				await ended;
			}
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

async function whenListening(port: number, bouncer: ChildProcess): Promise<void> {
	for (let left = READY_TRIES; left > 0; left -= 1) {
		if (bouncer.exitCode !== null) throw new Error(`pgbouncer ended with ${bouncer.exitCode}`);
		const socket = connect({ host: "127.0.0.1", port });
		const isListening = await new Promise<boolean>((resolve) => {
			socket.once("connect", () => resolve(true));
			socket.once("error", () => resolve(false));
		});
		socket.destroy();
		if (isListening) return;
		await pause(50);
	}
	bouncer.kill("SIGQUIT");
	throw new Error("pgbouncer does not listen");
}
