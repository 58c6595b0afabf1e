/** Throws a `RangeError` that names the first of `options` that is given and is not a number above `minimum`. */
export function requireAbove(minimum: number, options: Readonly<Record<string, number | undefined>>): void {
	for (const [name, value] of Object.entries(options)) {
		if (value !== undefined && !(value > minimum)) {
			throw new RangeError(`${name} must be a number above ${minimum}`);
		}
	}
}
