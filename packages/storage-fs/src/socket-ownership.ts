// One writer per data directory, told by Unix sockets: a socket answers exactly as long as its process lives,
// whatever its pid, its container, or the signal that ended it. Why not lock files or pids: ADR on ownership.
//
// Safety is Dekker's: who wants to own first listens (is visible), then looks at every other socket, and owns only
// when none of them is live. Of two that both listen, the one that began to listen last sees the other.

import { chmod, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { type StoreFault, storeFault } from "@reelkeep/core/ports";
import { toFault } from "./durable-files.js";
import { askIdentity, followOwner } from "./owner-connection.js";
import { createOwnerServer, type OwnerServer } from "./owner-server.js";
import {
	closeServer,
	type Dialled,
	dial,
	listen,
	openSocketDirectory,
	type SocketDirectory,
} from "./owner-socket.js";
import type { Owned, OwnerConnection, Ownership } from "./ownership.js";

/** Between bind and listen a socket refuses; only one that refuses for 200 ms is taken for dead. */
const REFUSED_RETRY_DELAYS_MS = [20, 40, 60, 80] as const;
/** How long a contender with the higher generation waits for a lower one to give way. */
const GIVE_WAY_MS = 500;
const GIVE_WAY_POLL_MS = 25;
/** How long an owner may take to greet; one that recovers a large log is greeting all the same. */
const GREETING_TIMEOUT_MS = 500;
/** How long a reader waits for an owner that is still recovering its log. */
const FIRST_WATERMARK_TIMEOUT_MS = 30_000;
/** An owner that ends, or a contender that gives way, hangs up; soon after that it is clear who owns. */
const CONNECT_ATTEMPTS = 4;
const CONNECT_DELAY_MS = 50;
/** Lost races before giving up: each one is lost to somebody who then owned the directory. */
const MAX_ATTEMPTS = 50;

/** Makes the ownership by sockets in the data directory. */
export function createSocketOwnership(): Ownership {
	return {
		acquire: async (directory, startedAt) => {
			try {
				return await acquire(directory, startedAt);
			} catch (error) {
				throw toFault(error, `taking ownership of ${directory}`);
			}
		},
		connect: async (directory) => {
			for (let attempt = 1; attempt <= CONNECT_ATTEMPTS; attempt += 1) {
				const found = await connectOnce(directory);
				if (found !== "hung-up") return found;
				await sleep(CONNECT_DELAY_MS);
			}
			throw storeFault(
				"io",
				`the owner of ${directory} hangs up: it ends, or has too many readers; try again`,
			);
		},
	};
}

/**
 * One that refuses is dead or does not own yet: an owner listens before it touches the log. So a reader, unlike a
 * starter, need not ask twice.
 */
async function connectOnce(directory: string): Promise<OwnerConnection | "hung-up" | undefined> {
	const sockets = await openSocketDirectory(directory);
	try {
		for (const generation of [...(await sockets.generations())].reverse()) {
			const dialled = await dial(sockets.path(generation));
			if (dialled._tag === "Unclear") throw unclear(directory, dialled.code);
			if (dialled._tag !== "Live") continue;
			return (await followOwner(dialled.socket, FIRST_WATERMARK_TIMEOUT_MS)) ?? "hung-up";
		}
		return undefined;
	} finally {
		await sockets.close();
	}
}

async function acquire(directory: string, startedAt: number): Promise<Owned> {
	const sockets = await openSocketDirectory(directory);
	try {
		for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
			const highest = (await sockets.generations()).at(-1) ?? 0;
			if (highest > 0) await refuseLive(directory, await dialPatiently(sockets.path(highest)));
			const contender = createOwnerServer({ pid: process.pid, host: hostname(), startedAt });
			const path = sockets.path(highest + 1);
			if (!(await listen(contender.server, path))) continue;
			if (await contend(directory, sockets, highest + 1, contender)) return own(contender, sockets);
		}
		throw storeFault(
			"io",
			`${directory} changed owners ${MAX_ATTEMPTS} times while we asked for it; try again`,
		);
	} catch (error) {
		await sockets.close();
		throw error;
	}
}

/**
 * Looks at every other socket once ours listens, and removes them when none is live: then we own. Resolves with
 * `false` when we must try again; rejects with `owned`. Ours is closed unless we won.
 */
async function contend(
	directory: string,
	sockets: SocketDirectory,
	own: number,
	contender: OwnerServer,
): Promise<boolean> {
	try {
		await chmod(sockets.path(own), 0o600);
		for (let waitedMs = 0; ; waitedMs += GIVE_WAY_POLL_MS) {
			const all = await sockets.generations();
			const others = all.filter((generation) => generation !== own);
			const dialled = await Promise.all(others.map((generation) => dial(sockets.path(generation))));
			const live = others.filter((_, at) => dialled[at]?._tag === "Live" || dialled[at]?._tag === "Unclear");
			try {
				if (live.length === 0 && all.includes(own)) {
					await Promise.all(others.map((stale) => rm(sockets.path(stale), { force: true })));
					return true;
				}
				if (live.length === 0 || live.some((generation) => generation > own)) break;
				if (waitedMs >= GIVE_WAY_MS) await refuseLive(directory, dialled[others.indexOf(live[0] as number)]);
			} finally {
				hangUp(dialled);
			}
			await sleep(GIVE_WAY_POLL_MS);
		}
	} catch (error) {
		await withdraw(contender);
		throw error;
	}
	await withdraw(contender);
	return false;
}

async function withdraw({ server, disconnect }: OwnerServer): Promise<void> {
	disconnect();
	await closeServer(server);
}

function own(ownerServer: OwnerServer, sockets: SocketDirectory): Owned {
	let released: Promise<void> | undefined;
	return {
		publish: ownerServer.publish,
		release() {
			// The directory's descriptor last: closing the server removes its file by that name.
			released ??= withdraw(ownerServer).then(() => sockets.close());
			return released;
		},
	};
}

async function dialPatiently(path: string): Promise<Dialled> {
	for (const delayMs of REFUSED_RETRY_DELAYS_MS) {
		const dialled = await dial(path);
		if (dialled._tag !== "Refused") return dialled;
		await sleep(delayMs);
	}
	return dial(path);
}

function hangUp(dialled: readonly Dialled[]): void {
	for (const one of dialled) if (one._tag === "Live") one.socket.destroy();
}

async function refuseLive(directory: string, dialled: Dialled | undefined): Promise<void> {
	if (dialled?._tag === "Unclear") throw unclear(directory, dialled.code);
	if (dialled?._tag !== "Live") return;
	const owner = await askIdentity(dialled.socket, GREETING_TIMEOUT_MS);
	const who =
		owner === undefined
			? "another process, which did not say who it is"
			: `process ${owner.pid} on host ${owner.host}, running since ${new Date(owner.startedAt).toISOString()}`;
	throw storeFault(
		"owned",
		`${directory} is in use by ${who}; only one process may write it. Stop that one, or use another directory`,
	);
}

function unclear(directory: string, code: string): StoreFault {
	return storeFault("io", `cannot tell whether another process owns ${directory} (${code}); try again`);
}
