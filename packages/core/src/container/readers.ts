// The subscriptions, or the projections, of one Reelkeep: each name runs once, and what stops one is told.

import type { Problem } from "../ports/runtime.js";

/** What a subscription and a projection have in common. */
interface Reader {
	problem(): string | undefined;
	stop(): Promise<void>;
	readonly ended: Promise<void>;
}

export interface Readers {
	/** Starts a reader. *Errors*: throws an `Error` while another of the same name runs. */
	add<Started extends Reader>(name: string, start: () => Started): Started;
	/** What keeps a running one from going on, and why others have ended. */
	problems(): readonly Problem[];
	stop(): Promise<void>;
}

const KEPT = { subscription: "checkpoint", projection: "snapshot" } as const;

export function createReaders(kind: keyof typeof KEPT): Readers {
	const running = new Map<string, Reader>();
	/** The last words of those that ended by themselves, until their name is started again. */
	const ended = new Map<string, string>();
	return {
		add(name, start) {
			if (running.has(name)) {
				throw new Error(`there is a ${kind} ${name} already; each name has one ${KEPT[kind]} and one owner`);
			}
			const reader = start();
			running.set(name, reader);
			ended.delete(name);
			reader.ended.then(
				() => running.delete(name),
				() => {
					running.delete(name);
					ended.set(name, reader.problem() ?? `${kind} ${name} ended`);
				},
			);
			return reader;
		},
		problems() {
			const stuck = [...running.values()].flatMap((reader) => reader.problem() ?? []);
			return [...stuck, ...ended.values()].map((message) => ({
				source: `${kind}s`,
				message,
				severity: "degraded",
			}));
		},
		async stop() {
			await Promise.all([...running.values()].map((reader) => reader.stop()));
		},
	};
}
