// Load on a port: so many connections, each with one request under way, in their order.

import { connect } from "node:net";

/**
 * Sends `requests` until `seconds` are over, each once unless `isRepeated`, and measures behind the first half of them.
 * Resolves with the rate, and with how long answers took in milliseconds.
 */
export async function putLoad({ port, requests, connections, seconds, isRepeated = false }) {
	const times = [];
	const start = performance.now();
	const from = start + seconds * 500;
	const until = start + seconds * 1000;
	let next = 0;
	const isSpent = () => !isRepeated && next === requests.length;
	const run = () =>
		new Promise((resolve, reject) => {
			const socket = connect(port, "127.0.0.1");
			let received = "";
			let sentAt = 0;
			const send = () => {
				if (performance.now() >= until || isSpent()) return void socket.end(resolve);
				sentAt = performance.now();
				socket.write(requests[next % requests.length]);
				next += 1;
			};
			socket.setEncoding("latin1").setNoDelay(true);
			socket.on("connect", send);
			socket.on("error", reject);
			socket.on("data", (text) => {
				received += text;
				const head = received.indexOf("\r\n\r\n");
				if (head === -1) return;
				const length = Number(/content-length: *(\d+)/i.exec(received)?.[1]);
				if (received.length < head + 4 + length) return;
				if (!received.startsWith("HTTP/1.1 200") || !received.includes('"consume_state":1'))
					return void reject(new Error(`not a success: ${received.slice(0, 300)}`));
				received = "";
				const now = performance.now();
				if (sentAt >= from && now <= until) times.push(now - sentAt);
				send();
			});
		});
	await Promise.all(Array.from({ length: connections }, run));
	if (isSpent()) throw new Error("there were too few requests for so many seconds");
	times.sort((a, b) => a - b);
	const at = (share) => times[Math.floor(times.length * share)];
	return { perSecond: times.length / ((until - from) / 1000), p50Ms: at(0.5), p99Ms: at(0.99) };
}
