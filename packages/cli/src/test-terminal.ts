// A terminal without a window: what is written to it is drawn as a real one draws it, and can be read.

import { Writable } from "node:stream";
import xterm from "@xterm/headless";

export interface TestTerminal {
	/** As `process.stderr` is on a terminal. */
	readonly stream: Writable & { readonly isTTY: true; columns: number; rows: number };
	/** Everything from the first line to the last, what has scrolled away too; lines that wrapped are one. */
	lines(): Promise<readonly string[]>;
}

export function createTestTerminal({ columns = 100, rows = 24 } = {}): TestTerminal {
	const terminal = new xterm.Terminal({
		cols: columns,
		rows,
		scrollback: 10_000,
		convertEol: true,
		allowProposedApi: true,
	});
	const stream = new Writable({
		decodeStrings: false,
		write(chunk: string, _encoding, written) {
			terminal.write(chunk);
			written();
		},
	});
	return {
		stream: Object.assign(stream, { isTTY: true as const, columns, rows }),
		async lines() {
			await new Promise<void>((resolve) => terminal.write("", resolve));
			const lines: string[] = [];
			const { active } = terminal.buffer;
			for (let at = 0; at < active.length; at += 1) {
				const line = active.getLine(at);
				const text = line?.translateToString(true) ?? "";
				if (line?.isWrapped) lines.push(`${lines.pop() ?? ""}${text}`);
				else lines.push(text);
			}
			while (lines.at(-1) === "") lines.pop();
			return lines;
		},
	};
}
