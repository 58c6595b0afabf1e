// A reader's end of an owner's socket.

import type { Socket } from "node:net";
import { storeFault } from "@reelkeep/core/ports";
import type { Watermark } from "./log-files.js";
import { createLineSplitter, type Greeting, parseGreeting, parseProgress } from "./owner-protocol.js";
import type { OwnerConnection, OwnerIdentity } from "./ownership.js";

/** Resolves with who owns the directory, or `undefined` when it does not say so in time. Ends the connection. */
export async function askIdentity(socket: Socket, timeoutMs: number): Promise<OwnerIdentity | undefined> {
	return new Promise((resolve) => {
		const end = (greeting?: Greeting) => {
			clearTimeout(timer);
			socket.destroy();
			resolve(greeting);
		};
		const timer = setTimeout(end, timeoutMs);
		socket.once("close", () => end());
		onLines(socket, (line) => end(parseGreeting(line)));
	});
}

/** How long a reader waits for an answer before it goes by what it knows; a busy owner answers within milliseconds. */
const ANSWER_TIMEOUT_MS = 2000;

/**
 * Resolves once the owner has told its first watermark; with `undefined` when it hangs up before that.
 * *Errors*: rejects with a retryable `StoreFault` `io` when it says nothing that makes sense in time.
 */
export function followOwner(socket: Socket, timeoutMs: number): Promise<OwnerConnection | undefined> {
	return new Promise((resolve, reject) => {
		let connection: FollowedOwner | undefined;
		const fail = (what: string) => {
			socket.destroy();
			reject(storeFault("io", `the owner of the data directory ${what}; try again`));
		};
		const timer = setTimeout(() => fail(`did not answer within ${timeoutMs} ms`), timeoutMs);
		onLines(socket, (line) => {
			if (connection === undefined) {
				const greeting = parseGreeting(line);
				if (greeting === undefined) return fail("speaks another protocol; is it another version?");
				connection = new FollowedOwner(socket, greeting);
			} else connection.take(line);
			if (!connection.isReady) return;
			clearTimeout(timer);
			socket.unref(); // To wait for news keeps no process alive.
			resolve(connection);
		});
		socket.once("close", () => {
			clearTimeout(timer);
			connection?.end();
			resolve(undefined);
		});
	});
}

interface Question {
	readonly number: number;
	readonly answer: (durable: Watermark | undefined) => void;
}

class FollowedOwner implements OwnerConnection {
	readonly owner: OwnerIdentity;
	readonly #socket: Socket;
	readonly #listeners = new Set<() => void>();
	readonly #questions = new Set<Question>();
	#asked = 0;
	#durable: Watermark | undefined;

	constructor(socket: Socket, greeting: Greeting) {
		this.#socket = socket;
		this.#durable = greeting.durable ?? undefined;
		this.owner = { pid: greeting.pid, host: greeting.host, startedAt: greeting.startedAt };
	}

	get isReady(): boolean {
		return this.#durable !== undefined;
	}

	take(line: string): void {
		const progress = parseProgress(line);
		if (progress === undefined) return;
		const isNews = progress.durable.position !== this.#durable?.position;
		this.#durable = progress.durable;
		for (const { number, answer } of this.#questions) if (number <= progress.asked) answer(progress.durable);
		// Not for a mere answer: whoever asks at every hint would go round in circles.
		if (isNews) for (const listener of this.#listeners) listener();
	}

	end(): void {
		for (const { answer } of this.#questions) answer(undefined);
		for (const listener of this.#listeners) listener();
	}

	durable(): Promise<Watermark | undefined> {
		if (!this.isOpen()) return Promise.resolve(undefined);
		return new Promise((resolve) => {
			const answer = (durable: Watermark | undefined) => {
				clearTimeout(timer);
				this.#questions.delete(question);
				resolve(durable);
			};
			const timer = setTimeout(() => answer(this.#durable), ANSWER_TIMEOUT_MS);
			this.#asked += 1;
			const question: Question = { number: this.#asked, answer };
			this.#questions.add(question);
			this.#socket.write("?");
		});
	}

	isOpen(): boolean {
		return !this.#socket.destroyed && !this.#socket.readableEnded;
	}

	onChange(listener: () => void): () => void {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	}

	close(): void {
		this.#socket.destroy();
	}
}

function onLines(socket: Socket, onLine: (line: string) => void): void {
	const split = createLineSplitter(onLine);
	socket.setEncoding("utf8");
	socket.on("data", (text: string) => {
		try {
			split(text);
		} catch (error) {
			socket.destroy(error as Error);
		}
	});
}
