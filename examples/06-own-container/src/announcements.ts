// A plain plugin that follows the log durably: no container, no decorators.

import { type Subscription, subscribe } from "@reelkeep/core";
import { CHECKPOINT_STORE, CLOCK, EVENT_STORE, IDS, LOGGER, type Plugin } from "@reelkeep/core/ports";

export interface Announcements extends Plugin {
	/** Resolves when all that is in the log now has been said. */
	whenCaughtUp(): Promise<void>;
}

export function announcements(say: (line: string) => void): Announcements {
	let subscription: Subscription | undefined;
	return {
		name: "announcements",
		provides: [],
		needs: [EVENT_STORE, CHECKPOINT_STORE, CLOCK, IDS, LOGGER],
		async start(get) {
			const [store, checkpoints] = [get(EVENT_STORE), get(CHECKPOINT_STORE)];
			const deps = { store, checkpoints, clock: get(CLOCK), ids: get(IDS), logger: get(LOGGER) };
			subscription = subscribe(deps, "announcements", async ({ type, stream, version }) => {
				say(`${type} ${stream.slice(0, 17)} version ${version}`);
			});
		},
		stop: async () => subscription?.stop(),
		whenCaughtUp: async () => subscription?.whenCaughtUp(),
		async check() {
			const message = subscription?.problem();
			return message === undefined ? [] : [{ source: "announcements", message, severity: "degraded" }];
		},
	};
}
