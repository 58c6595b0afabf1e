// An origin for `bench-downloads.mjs`: any path is a video of `?bytes=N`, sent from memory. It says what it is by a strong
// ETag that is no MD5, and states no checksum: what is hashed is what Reelkeep hashes anyway. Ends with its parent.

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";

const PIECE = randomBytes(1024 * 1024);
// Nothing that reads like a page.
PIECE.write("\0\0\0\x18ftyp", "latin1");

const server = createServer((request, response) => {
	const bytes = Number(new URL(request.url ?? "/", "http://127.0.0.1").searchParams.get("bytes"));
	response.writeHead(200, {
		"content-type": "video/mp4",
		"content-length": bytes,
		etag: `"bench-${bytes}"`,
	});
	let left = bytes;
	const send = () => {
		while (left > 0) {
			const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
			left -= piece.length;
			if (!response.write(piece)) {
				response.once("drain", send);
				return;
			}
		}
		response.end();
	};
	response.on("error", () => undefined);
	send();
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.resume().once("close", () => process.exit());
