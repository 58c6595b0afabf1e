// A binding as a test sees it: bytes of a request in, the text of its answer out.

import { sendRaw } from "@reelkeep/harness/send-raw";
import type { RouteOptions } from "../src/routes.js";
import { listen } from "./binding.js";

export interface RunningBinding {
	/** What is answered to the raw bytes of a request, its body as text. */
	send(bytes: Buffer): Promise<string>;
	/** Where its server listens, which also answers `POST /own` with `{ own: <the JSON that was sent> }`. */
	readonly address?: string;
	close(): Promise<void>;
}

export type StartBinding = (options: RouteOptions) => Promise<RunningBinding>;

/** A server of an application that `close` ends. */
export function onServer(address: string, close: () => Promise<unknown>): RunningBinding {
	return {
		address,
		send: async (bytes) => (await sendRaw(address, bytes)).body,
		close: async () => void (await close()),
	};
}

/** The same around a listener of node:http. */
export async function onNodeHttp(listener: Parameters<typeof listen>[0]): Promise<RunningBinding> {
	const { address, close } = await listen(listener);
	return onServer(address, close);
}

/** A function from bytes to text; there is no server. */
export function withoutServer(send: (bytes: Buffer) => Promise<string>): RunningBinding {
	return { send, close: async () => {} };
}
