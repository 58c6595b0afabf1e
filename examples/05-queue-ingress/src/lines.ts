// JSON values, one a line, over a socket.

import type { Socket } from "node:net";

/** What a message's text may take as JSON, six bytes for a character at worst, and something around it. */
const MAX_LINE_CHARACTERS = 7 * 256 * 1024;

/** Ends when the other side does. *Errors*: throws when the connection breaks, or for a line that is too long or no JSON. */
export async function* readLines(socket: Socket): AsyncGenerator<unknown> {
	socket.setEncoding("utf8");
	let rest = "";
	for await (const chunk of socket) {
		const lines = `${rest}${chunk}`.split("\n");
		rest = lines.pop() ?? "";
		if (rest.length > MAX_LINE_CHARACTERS) throw new RangeError("a line is too long");
		for (const line of lines) yield JSON.parse(line);
	}
}

export function writeLine(socket: Socket, value: object): void {
	if (socket.writable) socket.write(`${JSON.stringify(value)}\n`);
}
