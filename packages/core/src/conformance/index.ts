// The contracts of the ports, as cases for any test runner. For tests only.

export { type ConformanceCase, ConformanceError } from "./case.js";
export { type EventStoreHarness, eventStoreSuite } from "./event-store.js";
export { type IngressHarness, ingressSuite, type SenderVerdict } from "./ingress.js";
