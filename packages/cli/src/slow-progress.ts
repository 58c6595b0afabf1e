// Progress of long work, as plain lines on standard error: now and then, and nothing at all when it is short.

const INTERVAL_MS = 2000;

/** Returns what is called at every step; it asks for the line only when one is due. */
export function slowProgress(): (line: () => string) => void {
	let last = Date.now();
	return (line) => {
		if (Date.now() - last < INTERVAL_MS) return;
		last = Date.now();
		process.stderr.write(`${line()}\n`);
	};
}
