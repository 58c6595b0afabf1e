// An ingress that takes callbacks from a message queue. A message is acknowledged once `receive` has said that it is
// durable, never before: what was under way when a process or a connection died, the broker brings again.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
	CLOCK,
	type Clock,
	IDS,
	type Ids,
	type Ingress,
	LOGGER,
	type Logger,
	type Plugin,
	type Problem,
	RECEIVE,
	type Receive,
	VERIFIER,
	type Verifier,
} from "@reelkeep/core/ports";
import { readLines, writeLine } from "./lines.js";
import { type Verdict, verdictOf } from "./verdicts.js";

export const MAX_REQUEST_PARAM_BYTES = 256 * 1024;
/** Messages under way at once; the broker keeps the others. */
const PREFETCH = 16;
const RECONNECT_DELAY_MS = 1000;

export interface QueueAddress {
	readonly host: string;
	readonly port: number;
}

interface QueueIngressDeps {
	readonly verifier: Verifier;
	readonly clock: Clock;
	readonly ids: Ids;
	readonly logger: Logger;
}

/** Takes messages from the broker at `address`. Needs a `VERIFIER`. */
export function queueIngress(address: QueueAddress): Plugin {
	let ingress: ReturnType<typeof createQueueIngress> | undefined;
	return {
		name: "queue",
		provides: [],
		needs: [RECEIVE, VERIFIER, CLOCK, IDS, LOGGER],
		async start(get) {
			const deps = { verifier: get(VERIFIER), clock: get(CLOCK), ids: get(IDS), logger: get(LOGGER) };
			ingress = createQueueIngress(address, deps);
			await ingress.start(get(RECEIVE));
		},
		stop: async () => ingress?.stop(),
		check: async () => ingress?.problems() ?? [],
	};
}

export function createQueueIngress(
	address: QueueAddress,
	deps: QueueIngressDeps,
): Ingress & { problems(): readonly Problem[] } {
	const stopping = new AbortController();
	const underWay = new Set<Promise<void>>();
	let socket: Socket | undefined;
	let consuming: Promise<void> = Promise.resolve();

	async function consume(receive: Receive): Promise<void> {
		while (!stopping.signal.aborted) {
			if (socket !== undefined) await take(socket, receive);
			socket = undefined;
			await deps.clock.sleep(RECONNECT_DELAY_MS, stopping.signal);
			if (!stopping.signal.aborted) socket = await open(address).catch(() => undefined);
		}
	}

	/** Resolves when the connection has ended, for whatever reason. */
	async function take(from: Socket, receive: Receive): Promise<void> {
		writeLine(from, { take: PREFETCH });
		try {
			for await (const delivery of readLines(from)) {
				if (stopping.signal.aborted) continue;
				const handling = handle(from, delivery, receive).finally(() => underWay.delete(handling));
				underWay.add(handling);
			}
		} catch {
			if (!stopping.signal.aborted)
				deps.logger.warn({ port: address.port }, "the connection to the broker broke");
		} finally {
			from.destroy();
		}
	}

	async function handle(from: Socket, delivery: unknown, receive: Receive): Promise<void> {
		const { id, message } = delivery as { readonly id: number; readonly message: unknown };
		const { verdict, delayMs } = await judge(message, receive).catch(() => {
			deps.logger.error({ id }, "a message could not be handled");
			return { verdict: "nack" as Verdict, delayMs: RECONNECT_DELAY_MS };
		});
		writeLine(from, { id, verdict, delayMs });
	}

	async function judge(message: unknown, receive: Receive): Promise<ReturnType<typeof verdictOf>> {
		const { appKey, sign, requestParam } = message as Readonly<Record<string, unknown>>;
		if (typeof requestParam !== "string") return { verdict: "reject" };
		const body = Buffer.from(requestParam);
		if (body.length > MAX_REQUEST_PARAM_BYTES) return { verdict: "reject" };
		const parameters = new Map([["app_key", String(appKey)] as const, ["sign", String(sign)] as const]);
		const verification = await deps.verifier.verify({ parameters, headers: new Map(), body });
		if (verification._tag === "NotAuthentic") return { verdict: "reject" };
		const metadata = {
			ingress: "queue",
			appKey: verification.appKey,
			requestId: deps.ids.next(),
			verification: verification.receipt,
		};
		return verdictOf(await receive({ requestParam, appKey: verification.appKey, metadata }));
	}

	return {
		async start(receive) {
			socket = await open(address);
			consuming = consume(receive);
			return { address: `tcp://${address.host}:${address.port}` };
		},
		async stop() {
			stopping.abort();
			if (socket !== undefined) writeLine(socket, { take: 0 });
			await Promise.all(underWay);
			socket?.destroySoon();
			await consuming;
		},
		problems: () =>
			socket === undefined ? [{ source: "queue", message: `no broker at port ${address.port}` }] : [],
	};
}

async function open({ host, port }: QueueAddress): Promise<Socket> {
	const socket = connect({ host, port });
	await once(socket, "connect");
	return socket;
}
