import { Controller, Get, Inject } from "@nestjs/common";
import { EVENT_STORE, type EventStore } from "@reelkeep/core/ports";

/** Reads the log through the port that Nest injects. */
@Controller("recordings")
export class RecordingsController {
	readonly #store: EventStore;

	constructor(@Inject(EVENT_STORE) store: EventStore) {
		this.#store = store;
	}

	@Get()
	async list(): Promise<readonly string[]> {
		const reported: string[] = [];
		for await (const { type, data } of this.#store.readAll()) {
			if (type === "RecordingReported") reported.push(String(data.trackInfo));
		}
		return reported;
	}
}
