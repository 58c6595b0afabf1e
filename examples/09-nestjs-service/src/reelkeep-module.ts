// Reelkeep as a module of Nest's: made by factories behind tokens, started and stopped with the application.

import { Inject, Logger, Module, type OnApplicationShutdown, type OnModuleInit } from "@nestjs/common";
import { createReelkeep, type Reelkeep } from "@reelkeep/core/container";
import { EVENT_STORE } from "@reelkeep/core/ports";
import { fsStorage } from "@reelkeep/storage-fs";
import { nestLogger } from "./nest-logger.js";

/** Injects the `Reelkeep`: `@Inject(REELKEEP)`. Reelkeep's own tokens are Nest's too, such as `EVENT_STORE`. */
export const REELKEEP = Symbol("Reelkeep");

function createReelkeepOfService(): Reelkeep {
	const { REELKEEP_DATA = "./data" } = process.env;
	const logger = nestLogger(new Logger("Reelkeep"));
	return createReelkeep({ plugins: [fsStorage({ directory: REELKEEP_DATA })], logger });
}

@Module({
	providers: [
		{ provide: REELKEEP, useFactory: createReelkeepOfService },
		{ provide: EVENT_STORE, useFactory: ({ store }: Reelkeep) => store, inject: [REELKEEP] },
	],
	exports: [REELKEEP, EVENT_STORE],
})
export class ReelkeepModule implements OnModuleInit, OnApplicationShutdown {
	readonly #reelkeep: Reelkeep;

	constructor(@Inject(REELKEEP) reelkeep: Reelkeep) {
		this.#reelkeep = reelkeep;
	}

	/** Before any `onApplicationBootstrap`, where others subscribe, and before the port is open. */
	onModuleInit(): Promise<void> {
		return this.#reelkeep.start();
	}

	/** After the server has answered what was in flight. */
	onApplicationShutdown(): Promise<void> {
		return this.#reelkeep.stop();
	}
}
