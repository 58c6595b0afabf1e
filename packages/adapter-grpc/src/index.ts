// @reelkeep/adapter-grpc: reports and events over gRPC, from the plugin down to the verifiers. What goes over the wire is
// in @reelkeep/adapter-grpc/v1.

export { type CallerOptions, verifyAll } from "./callers.js";
export { createCertificateVerifier } from "./certificates.js";
export { createGrpcIngress, type GrpcIngressOptions, type GrpcTls } from "./grpc-ingress.js";
export { createHealthService, type HealthService } from "./health-service.js";
export { DEFAULT_GRPC_LIMITS, type GrpcLimits } from "./limits.js";
export { type GrpcIngressPlugin, type GrpcIngressPluginOptions, grpcIngress } from "./plugin.js";
export {
	createRecordingService,
	type RecordingService,
	type RecordingServiceOptions,
} from "./recording-service.js";
export { addReflection } from "./reflection.js";
export { boundRequestTime } from "./request-time.js";
export { type CallerToken, createTokenVerifier, DEFAULT_TOKEN_ID, type Tokens } from "./tokens.js";
