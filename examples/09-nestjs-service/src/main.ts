// A NestJS service that exists already, with its modules, its logger and its body parser, and takes callbacks too.

import { ConsoleLogger, Logger } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { createTopVerifier } from "@reelkeep/adapter-http";
import { useReelkeep } from "@reelkeep/adapter-http/nestjs";
import { type Reelkeep, randomIds, systemClock } from "@reelkeep/core/container";
import { AppModule } from "./app-module.js";
import { nestLogger } from "./nest-logger.js";
import { REELKEEP } from "./reelkeep-module.js";

const { PORT = "8080", APP_KEY = "", APP_SECRET = "" } = process.env;

const app = await NestFactory.create(AppModule, { logger: new ConsoleLogger() });
app.enableShutdownHooks(["SIGINT", "SIGTERM"], { useProcessExit: true });

// New: callbacks are answered before Nest's body parser sees them, by the Reelkeep of Nest's container.
const { receive } = app.get<Reelkeep>(REELKEEP);
const verifier = createTopVerifier({ apps: { [APP_KEY]: APP_SECRET }, clock: systemClock });
const logger = nestLogger(new Logger("Reelkeep"));
useReelkeep(app, { receive, verifier, ids: randomIds, clock: systemClock, logger });

try {
	await app.listen(PORT, "127.0.0.1");
} catch (error) {
	// Nest stops nothing by itself when a part of the start fails: what has started would keep the data directory.
	await app.close();
	throw error;
}
