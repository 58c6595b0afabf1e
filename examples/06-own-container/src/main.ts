// A service with a tsyringe container of its own: its clock is taken, and its classes get Reelkeep's ports.

import "reflect-metadata";
import { memoryStorage } from "@reelkeep/core";
import { createReelkeep } from "@reelkeep/core/container";
import { CLOCK } from "@reelkeep/core/ports";
import { container } from "tsyringe";
import { announcements } from "./announcements.js";
import { sampleReport } from "./sample-report.js";
import { Ledger, ServiceClock } from "./service.js";

container.register(CLOCK, { useToken: ServiceClock });
const announced = announcements(console.log);
const reelkeep = createReelkeep({ plugins: [memoryStorage(), announced], container });

await reelkeep.start();
const outcome = await reelkeep.receive(sampleReport);
await announced.whenCaughtUp();
console.log(`${outcome._tag}: ${await reelkeep.get(Ledger).count()}`);
await reelkeep.stop();
