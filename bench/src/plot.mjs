// Panels beside each other as SVG: lines over a logarithmic axis, each from nothing up, so that what is flat looks flat.

const PANEL = { width: 250, height: 150, left: 60, top: 34, gap: 28 };
const INK = "#57606a";
const LINE = "#0969da";

/** `title`: for who cannot see it. `panels`: `{ title, points: [[x, y], …] }`, x above 0. */
export function plotPanels(title, panels) {
	const width = panels.length * (PANEL.left + PANEL.width + PANEL.gap);
	const height = PANEL.top + PANEL.height + 36;
	const drawn = panels.map((panel, index) =>
		drawPanel(panel, index * (PANEL.left + PANEL.width + PANEL.gap)),
	);
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" fill="${INK}">
<title>${title}</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${drawn.join("\n")}
</svg>
`;
}

function drawPanel({ title, points }, from) {
	const xs = points.map(([x]) => Math.log10(x));
	const [least, most] = [Math.min(...xs), Math.max(...xs)];
	const top = niceAbove(Math.max(...points.map(([, y]) => y)));
	const left = from + PANEL.left;
	const bottom = PANEL.top + PANEL.height;
	const placeX = (x) => round(left + ((Math.log10(x) - least) / (most - least)) * PANEL.width);
	const placeY = (y) => round(bottom - (y / top) * PANEL.height);
	const ticks = [0, top / 2, top].map(
		(y) =>
			`<path d="M${left} ${placeY(y)}h${PANEL.width}" stroke="#d0d7de"/><text x="${left - 6}" y="${placeY(y) + 4}" text-anchor="end">${shorten(y)}</text>`,
	);
	const labels = points.map(
		([x]) => `<text x="${placeX(x)}" y="${bottom + 16}" text-anchor="middle">${shorten(x)}</text>`,
	);
	const path = points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${placeX(x)} ${placeY(y)}`).join("");
	const dots = points.map(([x, y]) => `<circle cx="${placeX(x)}" cy="${placeY(y)}" r="3" fill="${LINE}"/>`);
	return [
		`<text x="${left}" y="18" font-size="13">${title}</text>`,
		...ticks,
		...labels,
		`<path d="${path}" fill="none" stroke="${LINE}" stroke-width="2"/>`,
		...dots,
	].join("\n");
}

function niceAbove(value) {
	const power = 10 ** Math.floor(Math.log10(value));
	return [1, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => step >= value);
}

function shorten(value) {
	if (value >= 1e6) return `${round(value / 1e6)}M`;
	return value >= 1e3 ? `${round(value / 1e3)}k` : `${round(value)}`;
}

function round(value) {
	return Math.round(value * 10) / 10;
}
