// The socket files of a data directory, `owner.<generation>.sock`, and how to reach and bind them.

import { close, constants, open, readdir } from "node:fs";
import { connect, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { storeFault } from "@reelkeep/core/ports";
import { hasCode } from "./file-system.js";

const SOCKET_FILE = /^owner\.([1-9]\d{0,9})\.sock$/;
/** The smallest `sun_path` of the systems that Node runs on has 104 bytes, one of them for the NUL. */
const MAX_SOCKET_PATH_BYTES = 103;

/** A directory whose sockets can be named however long its path is. Close it after the last of its sockets. */
export interface SocketDirectory {
	path(generation: number): string;
	/** The generations that have a socket file, live or not, in order. */
	generations(): Promise<readonly number[]>;
	close(): Promise<void>;
}

export async function openSocketDirectory(directory: string): Promise<SocketDirectory> {
	const generations = async () => {
		const names = await promisify(readdir)(directory);
		return names.flatMap((name) => Number(SOCKET_FILE.exec(name)?.[1] ?? [])).sort((a, b) => a - b);
	};
	const longest = join(directory, "owner.0000000000.sock");
	if (Buffer.byteLength(longest) <= MAX_SOCKET_PATH_BYTES) {
		const path = (generation: number) => join(directory, `owner.${generation}.sock`);
		return { path, generations, close: async () => {} };
	}
	if (process.platform !== "linux") {
		throw storeFault(
			"io",
			`the path of ${directory} is too long for a Unix socket on this system; use one of at most ` +
				`${MAX_SOCKET_PATH_BYTES - "/owner.0000000000.sock".length} bytes`,
			{ retryable: false },
		);
	}
	// A short name of the same directory, for as long as the descriptor is open.
	const descriptor = await promisify(open)(directory, constants.O_RDONLY | constants.O_DIRECTORY);
	const path = (generation: number) => `/proc/self/fd/${descriptor}/owner.${generation}.sock`;
	return { path, generations, close: () => promisify(close)(descriptor) };
}

export type Dialled =
	| { readonly _tag: "Live"; readonly socket: Socket }
	| { readonly _tag: "Unclear"; readonly code: string }
	| { readonly _tag: "Refused" | "Absent" };

/** Tries to reach whoever listens at `path`. A listener that is stopped or busy is reached all the same. */
export function dial(path: string): Promise<Dialled> {
	return new Promise((resolve) => {
		const socket = connect(path);
		socket.once("connect", () => {
			socket.removeAllListeners("error");
			socket.on("error", () => socket.destroy());
			resolve({ _tag: "Live", socket });
		});
		socket.once("error", (error) => {
			socket.destroy();
			if (hasCode(error, "ECONNREFUSED")) resolve({ _tag: "Refused" });
			else if (hasCode(error, "ENOENT")) resolve({ _tag: "Absent" });
			else resolve({ _tag: "Unclear", code: String((error as { code?: unknown }).code) });
		});
	});
}

/** Binds and listens; resolves with `false` when the name is taken. */
export function listen(server: Server, path: string): Promise<boolean> {
	return new Promise((resolve, reject) => {
		server.once("error", (error) => (hasCode(error, "EADDRINUSE") ? resolve(false) : reject(error)));
		server.listen({ path, exclusive: true }, () => {
			server.removeAllListeners("error");
			server.on("error", () => {}); // An accept that fails concerns one reader only.
			resolve(true);
		});
	});
}

/** Stops listening, and removes the socket's file. */
export function closeServer(server: Server): Promise<void> {
	return new Promise((resolve) => {
		server.close(() => resolve());
	});
}
