import Table from "cli-table3";

const BORDERS = ["top", "bottom", "left", "right", "mid"];
const JOINTS = ["top-mid", "top-left", "top-right", "bottom-mid", "bottom-left", "bottom-right"];
const INNER = ["left-mid", "mid-mid", "right-mid", "middle"];

/** Columns, no lines. `columns`: the heads, each with a leading `>` when its column is to the right. */
export function createPlainTable(columns) {
	return new Table({
		head: columns.map((column) => column.replace(/^>/, "")),
		colAligns: columns.map((column) => (column.startsWith(">") ? "right" : "left")),
		style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
		chars: Object.fromEntries([...BORDERS, ...JOINTS, ...INNER].map((name) => [name, ""])),
	});
}
