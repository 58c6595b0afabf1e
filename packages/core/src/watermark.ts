// Up to where everything is done, when positions begin in order and are done in any. In memory.

import type { Position } from "./ports/event-store.js";

/** So many are kept in mind behind one that is not done; as many come again after a crash. */
const MAX_BEGUN = 10_000;

export interface Watermark {
	/** Everything up to here is done; `undefined`: nothing is. */
	readonly position: Position | undefined;
	/** How many are begun and not done. */
	readonly open: number;
	/** Whether one more may begin. */
	readonly hasRoom: boolean;
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
		get hasRoom() {
			return begun.length < MAX_BEGUN;
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
