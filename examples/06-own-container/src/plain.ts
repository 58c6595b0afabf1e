// The same without any container: each part is a factory that takes what it needs.

import {
	createMemoryEventStore,
	createMemoryKeyring,
	createReceive,
	type ReceiveDeps,
	silentLogger,
} from "@reelkeep/core";
import { sampleReport } from "./sample-report.js";

const store = createMemoryEventStore({ clock: Date });
const deps: ReceiveDeps = {
	store,
	keyring: createMemoryKeyring(),
	admission: { admit: async () => ({ _tag: "Admitted" }) },
	clock: {
		now: Date.now,
		sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs).unref()),
	},
	ids: { next: () => crypto.randomUUID() },
	logger: silentLogger,
	telemetry: { count: () => undefined, record: () => undefined },
};
const receive = createReceive(deps);

console.log((await receive(sampleReport))._tag);
for await (const { type, version } of store.readAll()) console.log(`${type} version ${version}`);
await store.close();
