// What an application does with the packages, one thing after the other, on the run time that it is started with.
// check-runtimes.mjs puts it beside the unpacked packages. Prints lines of JSON: `{ runtime, names }`, then for each thing
// `{ name, failure }`.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials, Metadata, makeClientConstructor } from "@grpc/grpc-js";
import { grpcIngress } from "@reelkeep/adapter-grpc";
import { recordingService } from "@reelkeep/adapter-grpc/v1";
import { createFetchHandler, createTopVerifier, httpIngress } from "@reelkeep/adapter-http";
import { archiver } from "@reelkeep/archiver";
import { decodeEvent, memoryStorage } from "@reelkeep/core";
import { createReelkeep, randomIds, silentLogger, systemClock } from "@reelkeep/core/container";
import { fsStorage } from "@reelkeep/storage-fs";

const TIME_MS = 20_000;
const ANSWER_TIME_MS = 1_500;
const APP_KEY = "12345678";
const SECRET = "a-secret-of-an-app";
const apps = { [APP_KEY]: SECRET };
const LINK = "http://127.0.0.1:9/v.mp4?Signature=a-secret-too";
const folder = mkdtempSync(join(tmpdir(), "reelkeep-runtime-"));

/** As the PaaS sends it, spaces and all: what is signed is the text, not what it means. */
const callback = (link = LINK) =>
	`{ "game_id":"云游戏🎮", "track_info": "9dacb134-1735-4e3b-bb33-3bea06ae54ad", "account_domain": 0, "download_url":"${link}",
"version": 1, "account_id": "NUAzXzcyMTA5OTE4MTgzViRg", "expire_time": 4102444800000, "action": "SCREEN_RECORDING_CALL_BACK", "project_id": "cg-avatar" }`;

/** The body of a signed TOP request. */
function signedBody(requestParam) {
	const parameters = {
		app_key: APP_KEY,
		format: "json",
		method: "alibaba.cgame.avatar.video.record.report",
		request_param: requestParam,
		sign_method: "md5",
		timestamp: new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 19).replace("T", " "),
		v: "2.0",
	};
	const text = Object.entries(parameters).flat().join("");
	const sign = createHash("md5")
		.update(SECRET + text + SECRET)
		.digest("hex")
		.toUpperCase();
	return new URLSearchParams({ ...parameters, sign }).toString();
}

const formOf = (body) => ({
	method: "POST",
	headers: { "content-type": "application/x-www-form-urlencoded" },
	body,
});

async function send(address, body = signedBody(callback())) {
	const response = await fetch(`${address}/router/rest`, formOf(body));
	return response.text();
}

async function withReelkeep(plugins, use) {
	const reelkeep = createReelkeep({ plugins, logger: silentLogger });
	await reelkeep.start();
	try {
		return await use(reelkeep);
	} finally {
		await reelkeep.stop();
	}
}

const pause = (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs));
const next = (reelkeep, type) => new Promise((resolve) => reelkeep.events.once(type, resolve));

async function allEvents({ store }) {
	const events = [];
	for await (const recorded of store.readAll()) events.push(decodeEvent(recorded));
	return events;
}

const things = {
	async "entry points"() {
		for (const entry of process.argv.slice(2)) {
			assert.ok(Object.keys(await import(entry)).length > 0, `${entry} exports nothing`);
		}
	},

	async HTTP() {
		const http = httpIngress({ port: 0, apps });
		await withReelkeep([memoryStorage(), http], async (reelkeep) => {
			const reported = next(reelkeep, "RecordingReported");
			const body = signedBody(callback());
			assert.match(await send(http.address(), body.replace("cg-avatar", "cg-bvatar")), /Invalid signature/);
			assert.match(await send(http.address(), body), /"consume_state":1/);
			assert.match(await send(http.address(), body), /"consume_state":1/);
			const event = await reported;
			assert.equal(event.data.gameId, "云游戏🎮");
			assert.equal(await reelkeep.revealLink(event), LINK);
			assert.deepEqual(await allEvents(reelkeep), [event]);
		});
	},

	async fetch() {
		await withReelkeep([memoryStorage()], async ({ receive }) => {
			const verifier = createTopVerifier({ apps, clock: systemClock });
			const handle = createFetchHandler({ receive, verifier, ids: randomIds, clock: systemClock });
			const request = new Request("https://example.com/router/rest", formOf(signedBody(callback())));
			assert.match(await (await handle(request)).text(), /"consume_state":1/);
		});
	},

	async files() {
		const directory = join(folder, "files");
		const http = httpIngress({ port: 0, apps });
		const before = await withReelkeep([fsStorage({ directory }), http], async (reelkeep) => {
			assert.match(await send(http.address()), /"consume_state":1/);
			const second = createReelkeep({ plugins: [fsStorage({ directory })], logger: silentLogger });
			await assert.rejects(second.start(), { reason: "owned" });
			return allEvents(reelkeep);
		});
		assert.equal(before.length, 1);
		await withReelkeep([fsStorage({ directory })], async (reelkeep) => {
			assert.deepEqual(await allEvents(reelkeep), before);
			assert.equal(await reelkeep.revealLink(before[0]), LINK);
		});
	},

	async gRPC() {
		const token = "a-token-of-the-relay-0123";
		const grpc = grpcIngress({ port: 0, tokens: { relay: token } });
		await withReelkeep([memoryStorage(), grpc], async (reelkeep) => {
			const Client = makeClientConstructor(recordingService, "RecordingService");
			const client = new Client(grpc.address(), credentials.createInsecure());
			const request = { report: { case: "requestParam", value: Buffer.from(callback()) } };
			const call = (headers) =>
				new Promise((resolve, reject) => {
					const deadline = Date.now() + TIME_MS / 2;
					client.ReportRecording(request, headers, { deadline }, (error, response) =>
						error ? reject(error) : resolve(response),
					);
				});
			try {
				await assert.rejects(call(new Metadata()), { code: 16 });
				const headers = new Metadata();
				headers.set("authorization", `Bearer ${token}`);
				const { stream } = await call(headers);
				assert.equal((await allEvents(reelkeep))[0].stream, stream);
			} finally {
				client.close();
			}
		});
	},

	async archiver() {
		await withOrigin(async (origin, video) => {
			const { data } = await keep(`http://127.0.0.1:${origin}/v.mp4?Signature=x`, "RecordingArchived");
			assert.equal(data.receipt.bytes, video.length);
			assert.equal(data.receipt.sha256, createHash("sha256").update(video).digest("hex"));
		});
	},

	// Whatever a name leads to by the time of the connection, only the address that was checked is asked.
	async "checked addresses"() {
		await withOrigin(async (origin) => {
			const link = `http://videos.test:${origin}/v.mp4?Signature=x`;
			const resolve = async () => ["127.0.0.1"];
			await keep(link, "RecordingArchived", { resolve });
			await keep(link, "ArchiveAttemptFailed", { resolve, allowPrivateNetwork: false });
		});
	},

	// Nobody listens at the one that check-runtimes.mjs names: who asks it gets no video.
	async "no proxy"() {
		await withOrigin(async (origin) => {
			const link = `http://proxied.test:${origin}/v.mp4?Signature=x`;
			await keep(link, "RecordingArchived", { resolve: async () => ["127.0.0.1"] });
		});
	},

	async "answers to garbage"() {
		await withHttp({}, async (address) => {
			assert.match((await speak(address, "NOT HTTP AT ALL\r\n\r\n")).text, /error_response/);
			const long = `POST /router/rest HTTP/1.1\r\nx: ${"a".repeat(40_000)}\r\n\r\n`;
			assert.match((await speak(address, long)).text, /headers are too long/);
			assert.match((await speak(address, "CONNECT a.example:443 HTTP/1.1\r\n\r\n")).text, /error_response/);
		});
	},

	async "large bodies"() {
		await withHttp({}, async (address) => {
			assert.match(await send(address, `request_param=${"a".repeat(300_000)}`), /error_response/);
		});
	},

	async "slow headers"() {
		await withHttp({ headersTimeMs: 300 }, async (address) => {
			assert.ok((await speak(address, "POST /router/rest HTTP/1.1\r\n")).isClosed, "still open");
		});
	},

	async "slow bodies"() {
		await withHttp({ limits: { bodyTimeMs: 300 } }, async (address) => {
			const head = "POST /router/rest HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nreq";
			assert.match((await speak(address, head)).text, /error_response/);
		});
	},

	async "most connections"() {
		await withHttp({ maxConnections: 2 }, async (address) => {
			const open = [speak(address, ""), speak(address, "")];
			await pause(ANSWER_TIME_MS / 2);
			assert.ok((await speak(address, "")).isClosed, "a third one stays open");
			await Promise.all(open);
			await pause(ANSWER_TIME_MS / 2);
		});
	},
};

/** An origin of one video, on loopback. */
async function withOrigin(use) {
	const video = randomBytes(300_000);
	const origin = createServer((_, response) => response.end(video)).listen(0, "127.0.0.1");
	await once(origin, "listening");
	try {
		return await use(origin.address().port, video);
	} finally {
		origin.close();
		origin.closeAllConnections();
	}
}

/** Reports a recording with `link`; resolves with what became of the first download, which must be of `type`. */
async function keep(link, type, options = {}) {
	const allowHosts = ["127.0.0.1", "videos.test", "proxied.test"];
	const source = { allowHosts, allowPrivateNetwork: true, preferHttps: false };
	const http = httpIngress({ port: 0, apps });
	const plugins = [memoryStorage(), archiver({ ...source, ...options }), http];
	return withReelkeep(plugins, async (reelkeep) => {
		const kept = next(reelkeep, "RecordingArchived");
		const failed = next(reelkeep, "ArchiveAttemptFailed");
		assert.match(await send(http.address(), signedBody(callback(link))), /"consume_state":1/);
		const event = await Promise.race([kept, failed]);
		assert.equal(event.type, type, event.data.message);
		return event;
	});
}

/** Gives `use` the address of an ingress; afterwards it must still take a report. */
async function withHttp(options, use) {
	const http = httpIngress({ port: 0, apps, ...options });
	await withReelkeep([memoryStorage(), http], async () => {
		await use(http.address());
		assert.match(await send(http.address()), /"consume_state":1/);
	});
}

/** Sends bytes as they are; resolves with what comes back until the other side closes, within `ANSWER_TIME_MS`. */
function speak(address, text) {
	const { hostname, port } = new URL(address);
	return new Promise((resolve) => {
		let received = "";
		const socket = connect(Number(port), hostname);
		const done = (isClosed) => {
			clearTimeout(timer);
			socket.destroy();
			resolve({ text: received, isClosed });
		};
		const timer = setTimeout(() => done(false), ANSWER_TIME_MS);
		socket.on("data", (chunk) => {
			received += chunk;
		});
		socket
			.on("error", () => done(true))
			.on("end", () => done(true))
			.on("close", () => done(true));
		socket.write(text);
	});
}

const { bun, deno, node } = process.versions;
const runtime = deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node ${node}`;
console.log(JSON.stringify({ runtime, names: Object.keys(things) }));
const late = (name) =>
	new Promise((_, reject) => {
		setTimeout(() => reject(new Error(`${name} was not done after ${TIME_MS} ms`)), TIME_MS).unref();
	});
for (const [name, work] of Object.entries(things)) {
	const failure = await Promise.race([work(), late(name)]).then(
		() => undefined,
		(error) => String(error?.stack ?? error),
	);
	console.log(JSON.stringify({ name, failure }));
}
rmSync(folder, { recursive: true, force: true });
process.exit();
