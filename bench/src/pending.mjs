// Many pending videos: `node pending.mjs DIRECTORY COUNT PORT` makes so many recordings, prints a line, keeps their videos, which
// an origin on PORT has, and ends.

import { join } from "node:path";
import { archiver } from "@reelkeep/archiver";
import { createReelkeep, silentLogger } from "@reelkeep/core/container";
import { fsStorage } from "@reelkeep/storage-fs";
import { sampleCallback } from "@reelkeep/testing";

const AT_ONCE = 500;
const [directory, count, port] = process.argv.slice(2);
const storage = () => fsStorage({ directory: join(directory, "data") });

await report();
const archiving = archiver({ allowHosts: ["127.0.0.1"], allowPrivateNetwork: true, concurrency: 16 });
const reelkeep = createReelkeep({ plugins: [storage(), archiving], logger: silentLogger });
console.log("reported");
await reelkeep.start();
await archiving.whenIdle();
await reelkeep.stop();

async function report() {
	const reelkeep = createReelkeep({ plugins: [storage()], logger: silentLogger });
	await reelkeep.start();
	const expires = Date.now() + 7_200_000;
	for (let from = 0; from < Number(count); from += AT_ONCE) {
		const many = Array.from({ length: Math.min(AT_ONCE, Number(count) - from) }, (_, index) => from + index);
		await Promise.all(
			many.map((index) =>
				reelkeep.receive({
					requestParam: JSON.stringify(
						sampleCallback({
							track_info: `video-${index}`,
							download_url: `http://127.0.0.1:${port}/video-${index}.mp4?Expires=${Math.floor(expires / 1000)}`,
							expire_time: expires,
						}),
					),
					appKey: "12345678",
					metadata: { ingress: "http" },
				}),
			),
		);
	}
	await reelkeep.stop();
}
