// @reelkeep/adapter-http/explain: why the signature of a captured request fails. For tools; no receiver needs it.

export { type ExplainSignatureOptions, explainSignature } from "./explain-signature.js";
export type { RawRequest } from "./received-request.js";
export type { SignatureFinding, SignatureFindingTag } from "./signature-finding.js";
