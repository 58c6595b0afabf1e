// A kind of hostile request: how it is made, and what may come back.

import type { Material } from "./hostile-material.js";
import type { Draw } from "./hostile-random.js";

export interface HostileRequest {
	/** Written one after the other, each as a packet of its own. */
	readonly pieces: readonly Uint8Array[];
	/** What may be heard, in the words of `hostile-answers.ts`: one for each answer, joined by spaces; empty: nothing. */
	readonly allows: RegExp;
	/**
	 * - `kept`: shared with others; there is one answer, and the connection serves the next request
	 * - `half-closed`: its own; nothing more is sent, and all answers are read
	 * - `reset`: its own; breaks off without a look at the answers
	 * - `waits`: its own; stays open until the receiver closes
	 */
	readonly connection: "kept" | "half-closed" | "reset" | "waits";
}

export interface HostileKind {
	readonly name: string;
	/** How often it comes, compared with others. 0: never by itself. */
	readonly weight: number;
	make(draw: Draw, material: Material): HostileRequest;
}
