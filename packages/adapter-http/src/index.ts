// @reelkeep/adapter-http: the TOP gateway's protocol as a receiver speaks it, from the plugin down to the pure functions.

export { type AppSecret, type Apps, DEFAULT_SECRET_ID } from "./app-secrets.js";
export { createBatchHandler } from "./batch.js";
export { type CloudSpiHandlerOptions, createCloudSpiHandler } from "./cloud-spi.js";
export { createCloudSpiVerifier } from "./cloud-spi-verifier.js";
export type { FailureAnswer } from "./envelope.js";
export type {
	BodyFault,
	ParsedForm,
	TopHandler,
	TopHandlerOptions,
	TopReply,
	TopRequest,
} from "./exchange.js";
export { createFetchHandler, type FetchHandler } from "./fetch-handler.js";
export { createTopHandler } from "./handle.js";
export { createHttpIngress, type HttpIngressOptions } from "./http-ingress.js";
export { DEFAULT_HTTP_LIMITS, type HttpLimits } from "./limits.js";
export { createNodeHandler, type NodeHandler, type NodeHandlerOptions } from "./node-handler.js";
export { type HttpIngressPlugin, type HttpIngressPluginOptions, httpIngress } from "./plugin.js";
export { REST_PATH, type RouteOptions, SPI_PATH } from "./routes.js";
export { createSpiHandler } from "./spi.js";
export { createSpiVerifier, DEFAULT_SIGNED_HEADERS, type SpiVerifierOptions } from "./spi-verifier.js";
export { DEFAULT_CLOCK_TOLERANCE_MS } from "./timestamp.js";
export { createTopVerifier, type TopVerifierOptions } from "./verifier.js";
