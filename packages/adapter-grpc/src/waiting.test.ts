import { describe, expect, it } from "vitest";
import { createWaiting } from "./waiting.js";

/** Waits of `peer` that note when they are given up. */
function waits(max: number) {
	const waiting = createWaiting(max);
	const givenUp: string[] = [];
	return {
		waiting,
		givenUp,
		enter(peer: string, name: string): () => void {
			const giveUp = (): void => {
				givenUp.push(name);
				waiting.leave(peer, giveUp);
			};
			waiting.enter(peer, giveUp);
			return () => waiting.leave(peer, giveUp);
		},
	};
}

describe("calls that wait", () => {
	it("are given up past the limit: the longest waiting one of the connection with the most", () => {
		const { enter, givenUp } = waits(4);
		enter("relay", "relay-1");
		for (const name of ["a", "b", "c", "d", "e"]) enter("stranger", name);
		expect(givenUp).toEqual(["a", "b"]);
	});

	it("leave their place to others, once", () => {
		const { enter, givenUp } = waits(2);
		const leave = enter("a", "a-1");
		leave();
		leave();
		enter("a", "a-2");
		enter("b", "b-1");
		expect(givenUp).toEqual([]);
		enter("b", "b-2");
		expect(givenUp).toEqual(["b-1"]);
	});
});
