// One server in a process of its own: `node serve.mjs KIND DIRECTORY [CONNECTION]` prints its port, and ends with its standard input.

import { createServer } from "node:http";
import { join } from "node:path";
import formbody from "@fastify/formbody";
import { httpIngress } from "@reelkeep/adapter-http";
import { memoryStorage } from "@reelkeep/core";
import { createReelkeep, silentLogger } from "@reelkeep/core/container";
import { EVENT_STORE, KEYRING, pickPorts, toPosition } from "@reelkeep/core/ports";
import { createFileKeyring, fsStorage } from "@reelkeep/storage-fs";
import fastify from "fastify";
// As built: it has its own modules, of the other workspace.
import { postgresStorage } from "../../packages/storage-postgres/dist/index.js";
import { APP, leastWork, readCallback, SUCCESS } from "./callbacks.mjs";
import { openSqliteLog } from "./sqlite-log.mjs";

const HOST = "127.0.0.1";
const [kind, directory, connectionString] = process.argv.slice(2);
const KINDS = {
	hello,
	"least work": leastWorkOnly,
	"not stored": notStored,
	reelkeep,
	"on postgres": onPostgres,
	"sqlite batched": sqliteBatched,
	"fastify sqlite": fastifySqlite,
};

const { port, stop } = await KINDS[kind]();
console.log(port);
process.stdin.on("end", async () => {
	await stop();
	process.exit(0);
});
process.stdin.resume();

/** node:http that drops the body: what no receiver can be faster than. */
function hello() {
	return listen((request, response) => {
		request.resume();
		request.on("end", () => answer(response));
	});
}

/** Nothing is checked that need not be, and nothing is stored. */
function leastWorkOnly() {
	return listen((request, response) => {
		const chunks = [];
		request.on("data", (chunk) => chunks.push(chunk));
		request.on("end", () => {
			leastWork(Buffer.concat(chunks).toString());
			answer(response);
		});
	});
}

async function reelkeep() {
	return compose([fsStorage({ directory })]);
}

/** Keys are in the directory, for all nodes. */
function onPostgres() {
	const keyring = createFileKeyring({ file: join(directory, "keys.json") });
	const keys = {
		name: "keys",
		provides: [KEYRING],
		needs: [],
		register: (registry) => registry.provide(KEYRING, () => keyring),
		start: () => keyring.load({ createIfMissing: true }),
	};
	return compose([postgresStorage({ connectionString }), keys]);
}

/** The whole way, links sealed and all, to a store that says `Appended` at once and keeps nothing. */
async function notStored() {
	let last = 0;
	const none = async function* () {};
	const store = {
		supports: { persistence: false },
		append: async (_stream, events) => {
			last += events.length;
			return { _tag: "Appended", version: events.length, position: toPosition(last) };
		},
		read: none,
		readAll: none,
		onAppended: () => () => undefined,
		close: async () => undefined,
	};
	const nowhere = {
		name: "nowhere",
		provides: [EVENT_STORE],
		needs: [],
		register: (registry) => registry.provide(EVENT_STORE, () => store),
	};
	return compose([pickPorts(memoryStorage(), [KEYRING]), nowhere]);
}

async function compose(storage) {
	const http = httpIngress({ apps: { [APP.appKey]: APP.secret }, host: HOST, port: 0 });
	const plugin = createReelkeep({ plugins: [...storage, http], logger: silentLogger });
	await plugin.start();
	return { port: Number(new URL(http.address()).port), stop: () => plugin.stop() };
}

function sqliteBatched() {
	const log = openSqliteLog(directory);
	return listen(
		(request, response) => {
			const chunks = [];
			request.on("data", (chunk) => chunks.push(chunk));
			request.on("end", async () => {
				const { stream, event } = readCallback(Buffer.concat(chunks).toString());
				await log.appendInTurn(stream, event);
				answer(response);
			});
		},
		() => log.close(),
	);
}

async function fastifySqlite() {
	const log = openSqliteLog(directory);
	const app = fastify();
	await app.register(formbody);
	app.post("/router/rest", async (request, reply) => {
		const { stream, event } = readCallback(request.body);
		log.append(stream, event);
		return reply.type("application/json").send(SUCCESS);
	});
	await app.listen({ host: HOST, port: 0 });
	const stop = async () => {
		await app.close();
		log.close();
	};
	return { port: app.server.address().port, stop };
}

function answer(response) {
	response
		.writeHead(200, { "Content-Type": "application/json", "Content-Length": SUCCESS.length })
		.end(SUCCESS);
}

function listen(handler, close = () => undefined) {
	return new Promise((resolve) => {
		const server = createServer(handler).listen(0, HOST, () =>
			resolve({
				port: server.address().port,
				stop: async () => {
					server.closeAllConnections();
					await new Promise((closed) => server.close(closed));
					close();
				},
			}),
		);
	});
}
