// `pnpm simulate-outage`: what an archiver saves after an outage, beside other orders of work.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { compareOrders } from "./outage.js";
import type { OutageResult } from "./outage-line.js";
import { type OutagePanel, plotOutages } from "./outage-plot.js";

const HELP = `Simulates the hours after an outage: all that came in waits at once, on one line, with links that die.

  pnpm simulate-outage [--recordings N] [--hours H] [--seed S] [--plot FILE]

  --recordings N   how many wait (100000)
  --hours H        how long the outage was (6)
  --seed S         (1)
  --plot FILE      draw an SVG
  --help           this text

Ends with 1 when Reelkeep saves less than 99 % of what could be saved.
`;
/** Of what could be saved (issue 6). */
const LEAST_SHARE = 0.99;
const OUTAGES = [
	{ load: 0.9, title: "All can be saved: the line carries 11 % more than it must" },
	{ load: 1.5, title: "Not all can be saved: the line carries two thirds of it" },
];

function main(): number {
	const { values } = parseArgs({
		options: {
			recordings: { type: "string", default: "100000" },
			hours: { type: "string", default: "6" },
			seed: { type: "string", default: "1" },
			plot: { type: "string" },
			help: { type: "boolean", default: false },
		},
	});
	if (values.help) {
		process.stdout.write(HELP);
		return 0;
	}
	const options = {
		recordings: positive("recordings", values.recordings),
		outageHours: positive("hours", values.hours),
		seed: positive("seed", values.seed),
	};
	const panels: OutagePanel[] = [];
	let least = 1;
	for (const { load, title } of OUTAGES) {
		const startedAt = Date.now();
		const results = compareOrders({ ...options, load });
		panels.push({ title, results });
		process.stdout.write(`${title} (${((Date.now() - startedAt) / 1_000).toFixed(1)} s)\n`);
		for (const result of results) process.stdout.write(`  ${describe(result, results)}\n`);
		least = Math.min(least, shareOf(results, "Reelkeep"));
	}
	if (values.plot !== undefined) writeFileSync(values.plot, plotOutages(panels));
	if (least >= LEAST_SHARE) return 0;
	process.stdout.write(
		`Reelkeep saved ${(least * 100).toFixed(2)} % of the ideal; ${LEAST_SHARE * 100} % are owed\n`,
	);
	return 1;
}

function describe({ name, savedAt, wastedBytes }: OutageResult, results: readonly OutageResult[]): string {
	const share = (shareOf(results, name) * 100).toFixed(2).padStart(6);
	const wasted = (wastedBytes / 1024 ** 3).toFixed(1);
	return `${name.padEnd(24)} ${String(savedAt.length).padStart(7)} saved, ${share} % of the ideal, ${wasted} GiB for nothing`;
}

function shareOf(results: readonly OutageResult[], name: string): number {
	const saved = (wanted: string): number =>
		results.find((result) => result.name === wanted)?.savedAt.length ?? Number.NaN;
	return saved(name) / saved("ideal");
}

function positive(name: string, text: string): number {
	const value = Number(text);
	if (Number.isFinite(value) && value > 0) return value;
	throw new RangeError(`--${name} takes a number above 0, not ${text}`);
}

process.exitCode = main();
