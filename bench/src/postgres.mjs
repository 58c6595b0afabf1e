// The peer on a server: events in one table of PostgreSQL, a transaction each, durable when a call resolves. A server of its
// own, made for one measurement, with the settings that initdb gives it; it listens on a socket in `directory` alone.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import pg from "pg";

export const POSTGRES_SETTINGS = { fsync: "on", synchronous_commit: "on", others: "as initdb gives them" };

/** PostgreSQL refuses to be root: then it is Debian's user for it. */
function serverUser() {
	if (process.getuid() !== 0) return {};
	const idOf = (flag) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
	return { uid: idOf("-u"), gid: idOf("-g") };
}

/** `undefined` where it is not installed. */
export function postgresVersion() {
	try {
		return execFileSync("postgres", ["--version"], { encoding: "utf8" }).trim().split(" ")[2];
	} catch {
		return undefined;
	}
}

/** One connection for each producer. */
export async function openPostgresLog(directory, producers) {
	const user = serverUser();
	const data = join(directory, "data");
	mkdirSync(data);
	if (user.uid !== undefined) {
		chownSync(directory, user.uid, user.gid);
		chownSync(data, user.uid, user.gid);
		chmodSync(dirname(directory), 0o711);
	}
	execFileSync("initdb", ["-D", data, "-U", "bench", "-A", "trust"], { ...user, stdio: "ignore", cwd: data });
	const settings = [
		`max_connections=${producers + 5}`,
		"listen_addresses=",
		`unix_socket_directories=${directory}`,
	];
	const server = spawn("postgres", ["-D", data, ...settings.flatMap((one) => ["-c", one])], {
		...user,
		stdio: "ignore",
		cwd: data,
	});
	const ended = once(server, "exit");
	const clients = [];
	for (let index = 0; index < producers; index += 1) clients.push(await connect(directory));
	await clients[0].query(`CREATE TABLE events (
		position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text NOT NULL, version integer NOT NULL, id text NOT NULL,
		type text NOT NULL, schema_version integer NOT NULL, data json NOT NULL, metadata json NOT NULL,
		recorded_at bigint NOT NULL, UNIQUE (stream, version))`);
	return {
		/** Whether the stream was new. */
		async append(stream, { id, type, schemaVersion, data, metadata }) {
			const client = clients.pop();
			try {
				const { rowCount } = await client.query({
					name: "append",
					text: "INSERT INTO events (stream, version, id, type, schema_version, data, metadata, recorded_at) VALUES ($1, 1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
					values: [
						stream,
						id,
						type,
						schemaVersion,
						JSON.stringify(data),
						JSON.stringify(metadata),
						Date.now(),
					],
				});
				return rowCount === 1;
			} finally {
				clients.push(client);
			}
		},
		async close() {
			await Promise.all(clients.map((client) => client.end()));
			server.kill("SIGINT");
			await ended;
		},
	};
}

async function connect(directory) {
	for (let left = 100; ; left -= 1) {
		const client = new pg.Client({ host: directory, user: "bench", database: "postgres" });
		client.on("error", () => undefined);
		try {
			await client.connect();
			return client;
		} catch (error) {
			if (left === 0) throw error;
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
	}
}
