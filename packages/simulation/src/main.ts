// `pnpm simulate`: runs seeds, says what happened, and how to see again what must not.

import { parseArgs } from "node:util";
import { traceHash } from "./chronicle.js";
import { missing, SEEDS_FOR_EVERYTHING } from "./expected.js";
import { type SeedResult, simulateInThreads, simulateSeeds } from "./seeds.js";
import { simulate } from "./simulate.js";
import { summary } from "./summary.js";

const HELP = `Runs storage-fs on simulated disks that fail and lose their power, and checks what must hold.

  pnpm simulate [--seeds N] [--from S] [--jobs J]
  pnpm simulate --seed S

  --seeds N   how many seeds (2000)
  --from S    the first one (1)
  --jobs J    in so many threads (1)
  --seed S    only this one, with each of its steps
  --help      this text
`;
const PROGRESS_MS = 5000;
const TAIL_LINES = 40;
const EXIT_VIOLATION = 1;
const EXIT_USAGE = 2;

async function main(): Promise<number> {
	const { values } = parseArgs({
		options: {
			seeds: { type: "string", default: "2000" },
			from: { type: "string", default: "1" },
			jobs: { type: "string", default: "1" },
			seed: { type: "string" },
			help: { type: "boolean", default: false },
		},
	});
	if (values.help) {
		process.stdout.write(HELP);
		return 0;
	}
	if (values.seed !== undefined) return showSeed(whole("seed", values.seed));
	return runSeeds({
		from: whole("from", values.from),
		count: whole("seeds", values.seeds),
		jobs: whole("jobs", values.jobs),
	});
}

function whole(name: string, text: string): number {
	const value = Number(text);
	if (Number.isSafeInteger(value) && value > 0) return value;
	throw new RangeError(`--${name} takes a whole number above 0, not ${text}`);
}

async function showSeed(seed: number): Promise<number> {
	const { lines, violation } = await simulate(seed);
	process.stdout.write(`${lines.join("\n")}\n`);
	process.stderr.write(`seed ${seed}, trace ${traceHash(lines)}: ${violation ?? "everything holds"}\n`);
	return violation === undefined ? 0 : EXIT_VIOLATION;
}

async function runSeeds(run: {
	readonly from: number;
	readonly count: number;
	readonly jobs: number;
}): Promise<number> {
	const { from, count, jobs } = run;
	const range = { from, to: from + count - 1, step: 1 };
	const startedAt = Date.now();
	const counts = new Map<string, number>();
	let toldAt = startedAt;
	let violated: SeedResult | undefined;
	const onResult = (result: SeedResult): boolean => {
		for (const [name, times] of result.counts) counts.set(name, (counts.get(name) ?? 0) + times);
		if (result.violation !== undefined) violated ??= result;
		if (Date.now() - toldAt >= PROGRESS_MS) {
			toldAt = Date.now();
			process.stderr.write(
				`${counts.get("seeds")} of ${count} seeds, ${Math.round((toldAt - startedAt) / 1000)} s\n`,
			);
		}
		return violated === undefined;
	};
	if (jobs === 1) await simulateSeeds(range, onResult);
	else await simulateInThreads(range, jobs, onResult);
	if (violated !== undefined) {
		await explain(violated.seed);
		return EXIT_VIOLATION;
	}
	process.stdout.write(`${summary(counts, (Date.now() - startedAt) / 1000)}\n`);
	const never = count < SEEDS_FOR_EVERYTHING ? [] : missing(counts);
	if (never.length === 0) return 0;
	process.stderr.write(`never happened, though it should have: ${never.join(", ")}\n`);
	return EXIT_VIOLATION;
}

async function explain(seed: number): Promise<void> {
	const { lines, violation } = await simulate(seed);
	const at = lines.findIndex((line) => line.startsWith("VIOLATION"));
	const end = at === -1 ? lines.length : at + 1;
	process.stderr.write(`${lines.slice(Math.max(0, end - TAIL_LINES), end).join("\n")}\n\n`);
	process.stderr.write(`seed ${seed}: ${violation}\nsee all of it: pnpm simulate --seed ${seed}\n`);
}

try {
	process.exitCode = await main();
} catch (error) {
	process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${HELP}`);
	process.exitCode = EXIT_USAGE;
}
