// What the demo holds to: a named expectation that is not met ends it, with a non-zero exit code.

export class ExpectationFailed extends Error {
	readonly _tag = "ExpectationFailed";
}

export function expect(met: boolean, expectation: string): asserts met {
	if (!met) throw new ExpectationFailed(expectation);
}

/** Waits until `look` finds something. */
export async function eventually<Found>(
	expectation: string,
	look: () => Promise<Found | undefined>,
	timeoutMs = 20_000,
): Promise<Found> {
	const end = Date.now() + timeoutMs;
	for (;;) {
		const found = await look();
		if (found !== undefined) return found;
		expect(Date.now() < end, expectation);
		await new Promise((resolve) => setTimeout(resolve, 150));
	}
}
