// Whether two values are the same as JSON.

export function isSameJson(a: unknown, b: unknown): boolean {
	if (a === b) return true;
	if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
	if (Array.isArray(a) !== Array.isArray(b)) return false;
	const others: Readonly<Record<string, unknown>> = { ...b };
	const own = Object.entries(a);
	return (
		own.length === Object.keys(others).length &&
		own.every(([name, value]) => Object.hasOwn(others, name) && isSameJson(value, others[name]))
	);
}
