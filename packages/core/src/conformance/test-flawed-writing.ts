// For the test of the event store's suite only: a store that writes what it was given later, until it is killed.

import { checkAppend, type NewEvent, type RecordedEvent, type StreamName } from "../ports/index.js";
import { turn } from "./kill-moments.js";
import { pause } from "./pause.js";
import { filter, finishing, type MakeHarness, reopenable } from "./test-flawed-stores.js";

const GROUPED = "writes event by event, and answers when nothing waits";

export type WritingFlaw = "writes event by event" | typeof GROUPED | "syncs when nothing waits";

/** A sound store writes batch after batch in the order of the calls, each as one record when it is complete. */
export function writingLater(flaw?: WritingFlaw): MakeHarness {
	return async () => {
		let living = 0;
		/** What the disk has of the batch that is being written. */
		let partial: { readonly stream: StreamName; readonly events: readonly NewEvent[] } | undefined;
		let unsynced: readonly string[] = [];
		return reopenable((store, _old, session) => {
			living = session;
			const lost = new Set(unsynced);
			unsynced = [];
			const keep = ({ id }: RecordedEvent): boolean => !lost.has(id);
			// What lies there is found, whole or not.
			const found = partial && store.append(partial.stream, partial.events, "any");
			partial = undefined;
			let last: Promise<unknown> = Promise.resolve(found);
			let waiting = 0;
			const write = async (stream: StreamName, events: readonly NewEvent[]): Promise<void> => {
				for (const [index] of events.entries()) {
					await (flaw === GROUPED && events.length === 5 ? pause(1) : turn());
					if (living !== session) throw new Error("the process is gone");
					const isOnDisk = flaw === "writes event by event" || flaw === GROUPED;
					if (isOnDisk) partial = { stream, events: events.slice(0, index + 1) };
				}
				partial = undefined;
				if (flaw !== "syncs when nothing waits") return;
				unsynced = waiting > 1 ? [...unsynced, ...events.map(({ id }) => id)] : [];
			};
			return {
				...finishing(store, async (stream, events, expected) => {
					checkAppend(stream, events, expected);
					const taken = JSON.parse(JSON.stringify(events)) as readonly NewEvent[];
					waiting += 1;
					const appending = last
						.then(() => write(stream, taken))
						.then(() => store.append(stream, taken, expected))
						.finally(() => {
							waiting -= 1;
						});
					last = appending.catch(() => undefined);
					const result = await appending;
					while (flaw === GROUPED && waiting > 0) await turn();
					return result;
				}),
				read: (...args) => filter(store.read(...args), keep),
				readAll: (...args) => filter(store.readAll(...args), keep),
			};
		})();
	};
}
