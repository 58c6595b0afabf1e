// The way in: an ingress turns a wire request into a report, and the outcome into a wire reply.

import type { EventMetadata, StreamName } from "./event-store.js";

/** An authentic report, as an ingress hands it over. */
export interface Report {
	/** `request_param` exactly as received: text that was decoded without loss, or raw bytes. */
	readonly requestParam: string | Uint8Array;
	/** Who sent it, told by the verifier. */
	readonly appKey: string;
	readonly metadata: EventMetadata;
}

/** Takes one authentic report. Never rejects: a fault is the outcome `Unavailable`. */
export type Receive = (report: Report) => Promise<ReceiveOutcome>;

export type ReceiveOutcome =
	| { readonly _tag: "Reported"; readonly stream: StreamName }
	| { readonly _tag: "AlreadyReported"; readonly stream: StreamName }
	| { readonly _tag: "LinkRenewed"; readonly stream: StreamName }
	| { readonly _tag: "Contradicted"; readonly stream: StreamName }
	| {
			/** Authentic but undecodable; kept raw. */
			readonly _tag: "Quarantined";
			readonly stream: StreamName;
			readonly issues: readonly DecodeIssue[];
	  }
	| { readonly _tag: "Refused"; readonly message: string }
	| {
			/** The app reports more often than it may; nothing was looked at. */
			readonly _tag: "RateLimited";
			readonly message: string;
			/** Milliseconds after which the next report may come. */
			readonly retryAfterMs: number;
	  }
	| {
			/** Not stored, or not known to be: the sender must retry. */
			readonly _tag: "Unavailable";
			readonly reason: "overloaded" | "timeout" | "fault";
			readonly message: string;
	  };

/** One thing that is wrong with a value. Names the field and what was expected, never the value itself. */
export interface DecodeIssue {
	/** The field's name as on the wire, dotted; empty for the whole value. */
	readonly field: string;
	/** `is missing`, `must be a number or a numeric string`, … */
	readonly problem: string;
}

export interface Ingress {
	/** Starts taking requests. Resolves when it does; rejects when it cannot (address in use, …). */
	start(receive: Receive): Promise<IngressStarted>;
	/** Stops taking requests, answers those in flight, then resolves. Idempotent. */
	stop(): Promise<void>;
}

export interface IngressStarted {
	/** The bound address, e.g. `http://127.0.0.1:8080`; `undefined` for one that has none. */
	readonly address?: string;
}
