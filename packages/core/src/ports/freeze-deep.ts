/**
 * Freezes a value and all that it holds, but not what a frozen part of it holds. Without recursion: JSON may be nested as
 * deeply as `JSON.parse` takes it.
 */
export function freezeDeep<Value>(value: Value): Value {
	const found: object[] = [];
	const find = (member: unknown): void => {
		if (typeof member === "object" && member !== null && !Object.isFrozen(member)) found.push(member);
	};
	find(value);
	for (let next = found.pop(); next !== undefined; next = found.pop()) {
		Object.freeze(next);
		for (const name in next) find(next[name as keyof typeof next]);
	}
	return value;
}
