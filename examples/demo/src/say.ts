// How the demo speaks: steps, what was answered, and what that means; in colour on a terminal.

import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

function styled(style: Style, text: string): string {
	return process.stdout.isTTY ? styleText(style, text) : text;
}

let steps = 0;

export function step(title: string): void {
	steps += 1;
	console.log(`\n${styled("bold", `${steps}. ${title}`)}`);
}

export function detail(label: string, text: string): void {
	console.log(`   ${styled("dim", label.padEnd(9))} ${text}`);
}

export function done(text: string): void {
	console.log(`\n${styled("green", text)}`);
}

export function failed(text: string): void {
	console.error(`\n${styled("red", text)}`);
}
