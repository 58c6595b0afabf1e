// The service's modules as they were; only `ReelkeepModule` is new among them.

import { Module } from "@nestjs/common";
import { BillingService } from "./billing-service.js";
import { OrdersController } from "./orders-controller.js";
import { RecordingsController } from "./recordings-controller.js";
import { ReelkeepModule } from "./reelkeep-module.js";

@Module({ imports: [ReelkeepModule], providers: [BillingService] })
class BillingModule {}

@Module({
	imports: [ReelkeepModule, BillingModule],
	controllers: [OrdersController, RecordingsController],
})
export class AppModule {}
