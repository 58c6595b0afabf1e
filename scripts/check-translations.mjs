// Holds each translation to its English original: headings, code blocks, links, tables, and the hash of the text that it was
// brought in step with. `--update` writes that hash, once a human has done so; it changes nothing else.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const ORIGINALS = ["README.md", "docs/which-url.md"];
const translationOf = (path) => path.replace(/\.md$/, ".zh-CN.md");
const originalOf = (path) => path.replace(/\.zh-CN\.md$/, ".md");

/** What must be the same in both texts. A fenced block is one entry, its first line included. */
function outline(path, text) {
	const found = { headings: [], blocks: [], links: new Set(), tables: [] };
	let fence;
	let isInTable = false;
	for (const line of text.split(/\r?\n/)) {
		if (fence !== undefined) {
			found.blocks.push(`${found.blocks.pop()}\n${line}`);
			if (line.trim() === fence) fence = undefined;
			continue;
		}
		fence = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
		if (fence !== undefined) found.blocks.push(line);
		const heading = /^(#{1,6})\s/.exec(line);
		if (heading !== null) found.headings.push({ level: heading[1].length, line });
		const isRow = /^\s*\|/.test(line);
		if (isRow && !isInTable) found.tables.push({ rows: 0, line });
		if (isRow) found.tables.at(-1).rows += 1;
		isInTable = isRow;
	}
	for (const target of linkTargets(text)) {
		const link = comparable(path, target);
		if (link !== undefined) found.links.add(link);
	}
	return found;
}

/** `[text](target)`, `[name]: target` and `<https://…>`, outside of code. */
function linkTargets(text) {
	const prose = text.replace(/^\s*(`{3,}|~{3,})[\s\S]*?^\s*\1\s*$/gm, "").replace(/(`+)[^`][\s\S]*?\1/g, "");
	return [
		...prose.matchAll(/\]\(\s*<?([^\s)>]+)>?[^)]*\)/g),
		...prose.matchAll(/^\[[^\]]+\]:\s+<?([^\s>]+)/gm),
		...prose.matchAll(/<(https?:[^\s>]+)>/g),
	].map(([, target]) => target);
}

/**
 * A target as it is in either text: fragments are headings, which are translated, and X.zh-CN.md stands for X.md.
 * `undefined`: each of the two points to the other, in its own way.
 */
function comparable(path, target) {
	if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return target;
	const [file, fragment] = target.split("#", 2);
	const end = fragment === undefined ? "" : "#";
	if (file === "") return end;
	const place = normalize(join(dirname(path), file));
	if (originalOf(place) === originalOf(path)) return undefined;
	return (existsSync(join(root, place)) ? originalOf(place) : place) + end;
}

const STEP = /^<!-- in step with (\S+), sha256 ([0-9a-f]{16}) -->$/m;

function stepLine(path, text) {
	const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
	return `<!-- in step with ${basename(path)}, sha256 ${hash} -->`;
}

/** The first place at which two lists differ, in words. */
function compareLists(what, theirs, ours, { same, show }) {
	const length = Math.max(theirs.length, ours.length);
	for (let at = 0; at < length; at += 1) {
		if (theirs[at] !== undefined && ours[at] !== undefined && same(theirs[at], ours[at])) continue;
		const shown = (one) => (one === undefined ? "is not there" : show(one));
		return [`${what} ${at + 1} differs: in English it ${shown(theirs[at])}, here it ${shown(ours[at])}`];
	}
	return [];
}

const quote = (line) => `"${line.trim().slice(0, 100)}"`;

/** The first line of `one` that `other` does not have in the same place. */
function firstDifference(one, other) {
	const others = other.split("\n");
	const at = one.split("\n").findIndex((line, index) => line !== others[index]);
	return quote(at === -1 ? "the last one" : (one.split("\n")[at] ?? ""));
}

function compareBlocks(english, chinese) {
	const at = english.findIndex((block, index) => block !== chinese[index]);
	if (at !== -1 && chinese[at] !== undefined) {
		const line = firstDifference(english[at], chinese[at]);
		return [`code block ${at + 1} differs from the English one at its line ${line}; copy it as it is`];
	}
	return compareLists("code block", english, chinese, {
		same: (a, b) => a === b,
		show: (block) => `begins ${quote(block.split("\n", 2).join(" "))}`,
	});
}

function compare(english, chinese) {
	const headings = compareLists("heading", english.headings, chinese.headings, {
		same: (a, b) => a.level === b.level,
		show: ({ level, line }) => `has level ${level}, ${quote(line)}`,
	});
	const tables = compareLists("table", english.tables, chinese.tables, {
		same: (a, b) => a.rows === b.rows,
		show: ({ rows, line }) => `has ${rows} rows, ${quote(line)}`,
	});
	const missing = [...english.links].filter((link) => !chinese.links.has(link));
	const surplus = [...chinese.links].filter((link) => !english.links.has(link));
	return [
		...headings,
		...compareBlocks(english.blocks, chinese.blocks),
		...tables,
		...missing.map((link) => `the link to ${link} is missing here`),
		...surplus.map((link) => `the link to ${link} is here only`),
	];
}

/** What is wrong with the translation of `path`, in words that say what to do. */
function check(path, isUpdate) {
	const place = translationOf(path);
	if (!existsSync(join(root, path))) return [`${path} is not there; take it out of ORIGINALS in this script`];
	if (!existsSync(join(root, place))) return [`${place} is not there; translate ${path}`];
	const english = readFileSync(join(root, path), "utf8");
	const chinese = readFileSync(join(root, place), "utf8");
	const problems = compare(outline(path, english), outline(place, chinese));
	const wanted = stepLine(path, english);
	const found = STEP.exec(chinese);
	if (found === null) return [...problems, `it has no line \`${wanted}\`; put it below the title`];
	if (found[0] === wanted) return problems;
	if (problems.length > 0) {
		return [...problems, "once that is mended, --update writes the hash of the English text"];
	}
	if (!isUpdate) {
		return [
			`${path} has changed since: read \`git log -p -- ${path}\`, bring the Chinese text in step, then run ` +
				"`node scripts/check-translations.mjs --update`",
		];
	}
	writeFileSync(
		join(root, place),
		chinese.replace(STEP, () => wanted),
	);
	console.log(`     ${place}: ${found[0]} is now ${wanted}`);
	return [];
}

const [option, ...rest] = process.argv.slice(2);
if (rest.length > 0 || (option !== undefined && option !== "--update")) {
	console.error("usage: node scripts/check-translations.mjs [--update]");
	process.exit(2);
}
let problems = 0;
for (const path of ORIGINALS) {
	const found = check(path, option === "--update");
	console.log(`${found.length === 0 ? "ok  " : "FAIL"} ${translationOf(path)}`);
	for (const problem of found) console.log(`     ${problem}`);
	problems += found.length;
}
process.exitCode = problems === 0 ? 0 : 1;
