// A name server on 127.0.0.1, over UDP, and a resolver that asks nobody else. Its answers may change from query to query:
// what a rebinding attack does. For tests.

import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { isIPv6 } from "node:net";
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode } from "dns-packet";

/** What a name has. *Shape*: addresses of both families; or another name, whose own answer follows in the same packet. */
interface NameAnswer {
	readonly addresses?: readonly string[];
	readonly alias?: string;
	/** How long it takes. *Units*: milliseconds. */
	readonly delayMs?: number;
}

export interface NameServer {
	/** `127.0.0.1:port`, for `Resolver.setServers`. */
	readonly address: string;
	/** The first query of each type gets the first answer, and so on; the last one stays. A name without any is unknown. */
	answer(name: string, ...answers: readonly NameAnswer[]): void;
	/** How many queries came for a name, those for A and those for AAAA. */
	queries(name: string): { readonly A: number; readonly AAAA: number };
	/** All addresses of a name, by a resolver of Node's that knows this server only. Empty: none, or no answer. */
	resolve(hostname: string): Promise<readonly string[]>;
	close(): Promise<void>;
}

type Family = "A" | "AAAA";

const TTL_SECONDS = 0;
const NAME_ERROR = 3;
/** An alias of an alias of … */
const MAX_ALIASES = 8;

/** Starts a name server on a free port. */
export async function startNameServer(): Promise<NameServer> {
	const names = new Map<string, readonly NameAnswer[]>();
	const asked = new Map<string, { A: number; AAAA: number }>();
	const socket = createSocket("udp4");
	const timers = new Set<NodeJS.Timeout>();
	socket.on("message", (message, { port, address }) => {
		const query = decode(message);
		const question = query.questions?.[0];
		if (question === undefined) return;
		const name = question.name.toLowerCase();
		const type = question.type === "A" || question.type === "AAAA" ? question.type : undefined;
		const count = asked.get(name) ?? { A: 0, AAAA: 0 };
		const stage = type === undefined ? 0 : count[type]++;
		asked.set(name, count);
		const isKnown = names.has(name);
		const reply = encode({
			type: "response",
			id: query.id ?? 0,
			flags: AUTHORITATIVE_ANSWER | (isKnown ? 0 : NAME_ERROR),
			questions: [question],
			answers: type === undefined ? [] : answersOf(names, { name, type, stage }),
		});
		const timer = setTimeout(
			() => {
				timers.delete(timer);
				socket.send(reply, port, address);
			},
			stageOf(names, name, stage)?.delayMs ?? 0,
		);
		timers.add(timer);
	});
	await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
	const address = `127.0.0.1:${socket.address().port}`;
	const resolver = new Resolver({ timeout: 2_000, tries: 1 });
	resolver.setServers([address]);
	return {
		address,
		answer: (name, ...answers) => void names.set(name.toLowerCase(), answers),
		queries: (name) => ({ A: 0, AAAA: 0, ...asked.get(name.toLowerCase()) }),
		async resolve(hostname) {
			const both = [resolver.resolve4(hostname), resolver.resolve6(hostname)];
			const settled = await Promise.allSettled(both);
			return settled.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
		},
		close: () =>
			new Promise((resolve) => {
				resolver.cancel();
				for (const timer of timers) clearTimeout(timer);
				socket.close(() => resolve());
			}),
	};
}

function stageOf(names: ReadonlyMap<string, readonly NameAnswer[]>, name: string, stage: number) {
	const answers = names.get(name) ?? [];
	return answers[Math.min(stage, answers.length - 1)];
}

function answersOf(
	names: ReadonlyMap<string, readonly NameAnswer[]>,
	{ name, type, stage }: { readonly name: string; readonly type: Family; readonly stage: number },
): Answer[] {
	const records: Answer[] = [];
	let at = name;
	for (let aliases = 0; aliases < MAX_ALIASES; aliases += 1) {
		const { addresses = [], alias } = stageOf(names, at, stage) ?? {};
		for (const data of addresses) {
			if (isIPv6(data) === (type === "AAAA")) records.push({ name: at, type, ttl: TTL_SECONDS, data });
		}
		if (alias === undefined) break;
		records.push({ name: at, type: "CNAME", ttl: TTL_SECONDS, data: alias });
		at = alias.toLowerCase();
	}
	return records;
}
