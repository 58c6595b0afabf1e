// Draws what each order saved over time as an SVG that stands by itself: one panel for each outage.

import type { OutageResult } from "./outage-line.js";

export interface OutagePanel {
	readonly title: string;
	readonly results: readonly OutageResult[];
}

const HOUR_MS = 3_600_000;
const WIDTH = 820;
const PANEL_HEIGHT = 300;
const LEFT = 70;
const RIGHT = 190;
const TOP = 44;
const BOTTOM = 46;
const POINTS = 120;
const COLOURS = ["#8a8f98", "#0b7a5e", "#c2571a", "#5b5bd6"];

export function plotOutages(panels: readonly OutagePanel[]): string {
	const height = PANEL_HEIGHT * panels.length;
	const drawn = panels.map((panel, index) => drawPanel(panel, index * PANEL_HEIGHT));
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
		"<title>Recordings saved over time after an outage, by four orders of work</title>",
		`<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
		...drawn.flat(),
		"</svg>",
		"",
	].join("\n");
}

function drawPanel({ title, results }: OutagePanel, top: number): readonly string[] {
	const hours = Math.ceil(Math.max(...results.map(({ savedAt }) => (savedAt.at(-1) ?? 0) / HOUR_MS)));
	const most = Math.max(...results.map(({ savedAt }) => savedAt.length));
	const right = WIDTH - RIGHT;
	const bottom = top + PANEL_HEIGHT - BOTTOM;
	const x = (hour: number): number => LEFT + ((right - LEFT) * hour) / hours;
	const y = (saved: number): number => bottom - ((bottom - top - TOP) * saved) / most;
	const labels = labelPlaces(results.map(({ savedAt }) => y(savedAt.length)));
	return [
		`<text x="${LEFT}" y="${top + 22}" font-size="14" font-weight="bold">${title}</text>`,
		`<path d="M${LEFT} ${top + TOP}V${bottom}H${right}" fill="none" stroke="#444444"/>`,
		...ticks(hours, 2).map(
			(hour) => `<text x="${round(x(hour))}" y="${bottom + 16}" text-anchor="middle">${hour}</text>`,
		),
		`<text x="${(LEFT + right) / 2}" y="${bottom + 34}" text-anchor="middle">hours since the end of the outage</text>`,
		...ticks(most, 20_000).map(
			(count) =>
				`<text x="${LEFT - 8}" y="${round(y(count)) + 4}" text-anchor="end">${count.toLocaleString("en")}</text>`,
		),
		...results.flatMap(({ name, savedAt }, index) => {
			const colour = COLOURS[index % COLOURS.length];
			const dash = index === 0 ? ' stroke-dasharray="5 4"' : "";
			return [
				`<path d="${curve(savedAt, hours, { x, y })}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`,
				`<text x="${right + 8}" y="${round((labels[index] ?? 0) + 4)}" fill="${colour}">${name}: ${savedAt.length.toLocaleString("en")}</text>`,
			];
		}),
	];
}

/** How many were saved by each of so many moments. */
function curve(
	savedAt: readonly number[],
	hours: number,
	{ x, y }: { readonly x: (hour: number) => number; readonly y: (saved: number) => number },
): string {
	let saved = 0;
	const points = Array.from({ length: POINTS + 1 }, (_, step) => {
		const hour = (hours * step) / POINTS;
		while ((savedAt[saved] ?? Number.POSITIVE_INFINITY) <= hour * HOUR_MS) saved += 1;
		return `${round(x(hour))} ${round(y(saved))}`;
	});
	return `M${points.join("L")}`;
}

/** Names that stand at least a line apart, in the order of their curves. */
function labelPlaces(wanted: readonly number[]): readonly number[] {
	const order = wanted
		.map((place, index) => ({ place, index }))
		.sort((left, right) => left.place - right.place);
	let last = Number.NEGATIVE_INFINITY;
	for (const label of order) {
		label.place = Math.max(label.place, last + 15);
		last = label.place;
	}
	return order.sort((left, right) => left.index - right.index).map(({ place }) => place);
}

function ticks(end: number, step: number): readonly number[] {
	return Array.from({ length: Math.floor(end / step) + 1 }, (_, index) => index * step);
}

function round(value: number): number {
	return Math.round(value * 10) / 10;
}
