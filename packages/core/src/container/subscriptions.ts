// The subscriptions of one Reelkeep: each name runs once, and what stops one is told.

import type { Problem } from "../ports/runtime.js";
import type { Subscription } from "../subscribe.js";

export interface Subscriptions {
	/** Starts a subscription. *Errors*: throws an `Error` while another of the same name runs. */
	add(name: string, start: () => Subscription): Subscription;
	/** What keeps a running one from going on, and why others have ended. */
	problems(): readonly Problem[];
	stop(): Promise<void>;
}

export function createSubscriptions(): Subscriptions {
	const running = new Map<string, Subscription>();
	/** The last words of those that ended by themselves, until their name is subscribed again. */
	const ended = new Map<string, string>();
	return {
		add(name, start) {
			if (running.has(name)) {
				throw new Error(
					`there is a subscription ${name} already; each name has one checkpoint and one owner`,
				);
			}
			const subscription = start();
			running.set(name, subscription);
			ended.delete(name);
			subscription.ended.then(
				() => running.delete(name),
				() => {
					running.delete(name);
					ended.set(name, subscription.problem() ?? `subscription ${name} ended`);
				},
			);
			return subscription;
		},
		problems() {
			const stuck = [...running.values()].flatMap((subscription) => subscription.problem() ?? []);
			return [...stuck, ...ended.values()].map((message) => ({
				source: "subscriptions",
				message,
				severity: "degraded",
			}));
		},
		async stop() {
			await Promise.all([...running.values()].map((subscription) => subscription.stop()));
		},
	};
}
