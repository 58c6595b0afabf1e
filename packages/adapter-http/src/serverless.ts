// @reelkeep/adapter-http/serverless: functions from a platform's event to its response; no server, no dependency.

export { createFunctionComputeHandler, type FunctionComputeEvent } from "./function-compute-handler.js";
export { createLambdaHandler, type LambdaEvent } from "./lambda-handler.js";
export type { ServerlessResponse } from "./serverless-exchange.js";
