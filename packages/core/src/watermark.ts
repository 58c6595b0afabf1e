// Up to where everything is done, when positions begin in order and are done in any. In memory.

import type { Position } from "./ports/event-store.js";

export interface Watermark {
	/** Everything up to here is done; `undefined`: nothing is. */
	readonly position: Position | undefined;
	/** How many are begun and not done. */
	readonly open: number;
	/** Begins the next position; returns what to call once when it is done. */
	begin(position: Position): () => void;
}

export function createWatermark(from: Position | undefined): Watermark {
	const begun: { readonly position: Position; isDone: boolean }[] = [];
	let reached = from;
	let open = 0;
	return {
		get position() {
			return reached;
		},
		get open() {
			return open;
		},
		begin(position) {
			const entry = { position, isDone: false };
			begun.push(entry);
			open += 1;
			return () => {
				if (entry.isDone) return;
				entry.isDone = true;
				open -= 1;
				for (let first = begun[0]; first?.isDone; first = begun[0]) {
					reached = first.position;
					begun.shift();
				}
			};
		},
	};
}
