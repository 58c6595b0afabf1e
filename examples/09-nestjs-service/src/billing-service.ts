// A service of Nest's that follows the log durably: it is told of every recording, also of those that came while it was down.

import { Inject, Injectable, Logger, type OnApplicationBootstrap } from "@nestjs/common";
import type { Reelkeep } from "@reelkeep/core/container";
import { REELKEEP } from "./reelkeep-module.js";

@Injectable()
export class BillingService implements OnApplicationBootstrap {
	readonly #logger = new Logger("Billing");
	readonly #reelkeep: Reelkeep;

	constructor(@Inject(REELKEEP) reelkeep: Reelkeep) {
		this.#reelkeep = reelkeep;
	}

	/** Reelkeep stops the subscription when it stops, and keeps how far it came. */
	onApplicationBootstrap(): void {
		this.#reelkeep.subscribe("billing", async ({ type, data }) => {
			if (type === "RecordingReported") this.#logger.log(`billed ${data.trackInfo}`);
		});
	}
}
