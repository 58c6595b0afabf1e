// Horizontal bars as SVG, panel below panel: what a part takes now, and what it took before.

const LEFT = 230;
const WIDTH = 420;
const ROW = 22;
const INK = "#57606a";
const NOW = "#0969da";
const BEFORE = "#d0d7de";

/** `title`: for who cannot see it. `panels`: `{ title, rows: [{ part, now, before? }] }`; each panel has its own scale. */
export function plotBars(title, panels) {
	let top = 30;
	const drawn = panels.map((panel) => {
		const from = top;
		top += 34 + panel.rows.length * ROW;
		return drawPanel(panel, from);
	});
	const width = LEFT + WIDTH + 90;
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" font-family="sans-serif" font-size="11" fill="${INK}">
<title>${title}</title>
<rect width="${width}" height="${top}" fill="#ffffff"/>
<rect x="${LEFT}" y="8" width="10" height="10" fill="${NOW}"/><text x="${LEFT + 16}" y="17">now, µs</text>
<rect x="${LEFT + 80}" y="8" width="10" height="10" fill="${BEFORE}"/><text x="${LEFT + 96}" y="17">before</text>
${drawn.join("\n")}
</svg>
`;
}

function drawPanel({ title, rows }, top) {
	const most = Math.max(...rows.flatMap(({ now, before = 0 }) => [now, before]));
	const wide = (value) => Math.round((value / most) * WIDTH * 10) / 10;
	const bars = rows.map(({ part, now, before }, index) => {
		const y = top + 22 + index * ROW;
		const old =
			before === undefined
				? ""
				: `<rect x="${LEFT}" y="${y + 9}" width="${wide(before)}" height="7" fill="${BEFORE}"/>`;
		const label = before === undefined ? now.toFixed(1) : `${now.toFixed(1)} (${before.toFixed(1)})`;
		const end = LEFT + Math.max(wide(now), wide(before ?? 0)) + 6;
		return [
			`<text x="${LEFT - 8}" y="${y + 12}" text-anchor="end">${part}</text>`,
			`<rect x="${LEFT}" y="${y}" width="${wide(now)}" height="9" fill="${NOW}"/>${old}`,
			`<text x="${end}" y="${y + 12}">${label}</text>`,
		].join("\n");
	});
	return [`<text x="${LEFT}" y="${top + 14}" font-size="13">${title}</text>`, ...bars].join("\n");
}
