// What `bench-downloads.mjs` found, in tables: least, median and most of all rounds.

/** `rows`: names and what each round found. */
export function printTable(title, rows) {
	console.log(`\n${line([title, "min", "median", "max"])}`);
	for (const [name, numbers] of rows) console.log(line([name, ...spreadOf(numbers).map(format)]));
}

/** The medians beside their limits, where they have any. Returns whether all keep to them. */
export function printChecks(checks) {
	console.log(`\n${line(["ratios and limits", "min", "median", "max", "limit"])}`);
	let isFine = true;
	for (const { what, found, least = 0, most = Number.POSITIVE_INFINITY } of checks) {
		const [, median] = spreadOf(found);
		const isKept = median >= least && median <= most;
		isFine &&= isKept;
		const limit = least > 0 ? `>= ${least}` : most < Number.POSITIVE_INFINITY ? `<= ${most}` : "";
		console.log(line([what, ...spreadOf(found).map(format), limit, isKept ? "" : "NOT KEPT"]).trimEnd());
	}
	return isFine;
}

function spreadOf(numbers) {
	const sorted = [...numbers].sort((one, other) => one - other);
	return [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
}

function format(number) {
	return number >= 100 ? number.toFixed(0) : number.toFixed(2);
}

function line([first, ...rest]) {
	return first.padEnd(28) + rest.map((cell) => cell.padStart(10)).join("");
}
