// One line that says what a run has met with.

export function summary(counts: ReadonlyMap<string, number>, seconds: number): string {
	const of = (name: string): number => counts.get(name) ?? 0;
	const parts = [
		`${of("seeds")} seeds in ${seconds.toFixed(1)} s`,
		`${of("lives")} lives`,
		`${of("cuts")} power cuts`,
		`${sum(counts, "kill.")} kills`,
		`faults: ${faults(counts)}`,
		`${of("append.acknowledged")} appends acknowledged`,
		`${of("append.rejected")} rejected`,
		`${of("append.duplicate")} duplicates told`,
		`${of("read.events")} events checked`,
		`${of("rot.bytes")} bytes damaged`,
	];
	return parts.join(", ");
}

function faults(counts: ReadonlyMap<string, number>): string {
	const byOperation = new Map<string, number>();
	for (const [name, times] of counts) {
		const operation = /^fault\.([^.]+)\./.exec(name)?.[1];
		if (operation !== undefined) byOperation.set(operation, (byOperation.get(operation) ?? 0) + times);
	}
	const sorted = [...byOperation].sort(([, a], [, b]) => b - a);
	return sorted.map(([operation, times]) => `${operation} ${times}`).join(" ") || "none";
}

function sum(counts: ReadonlyMap<string, number>, prefix: string): number {
	let total = 0;
	for (const [name, times] of counts) if (name.startsWith(prefix)) total += times;
	return total;
}
