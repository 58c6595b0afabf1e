// @reelkeep/adapter-http: the TOP gateway's protocol as a receiver speaks it, from the plugin down to the pure function.

export type { AppSecret, Apps } from "./app-secrets.js";
export {
	type BodyFault,
	createTopHandler,
	type TopHandler,
	type TopHandlerOptions,
	type TopReply,
	type TopRequest,
} from "./handle.js";
export { createHttpIngress, type HttpIngressOptions } from "./http-ingress.js";
export { DEFAULT_HTTP_LIMITS, type HttpLimits } from "./limits.js";
export { createNodeHandler, type NodeHandler, type NodeHandlerOptions, REST_PATH } from "./node-handler.js";
export { type HttpIngressPlugin, type HttpIngressPluginOptions, httpIngress } from "./plugin.js";
export { DEFAULT_CLOCK_TOLERANCE_MS } from "./timestamp.js";
export { createTopVerifier, type TopVerifierOptions } from "./verifier.js";
