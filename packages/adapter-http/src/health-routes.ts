// `/healthz`: does the process live? `/readyz`: can it receive callbacks (200 or 503), and what is wrong?

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Health, Problem } from "@reelkeep/core/ports";
import { pathOf } from "./node-handler.js";

/** A check that takes longer is a problem itself. */
const CHECK_TIME_MS = 5_000;

export const HEALTH_PATHS: readonly string[] = ["/healthz", "/readyz"];

/** Answers the two paths; false for any other. */
export function createHealthRoutes(
	health: Health,
): (request: IncomingMessage, response: ServerResponse) => boolean {
	return (request, response) => {
		const path = pathOf(request.url ?? "");
		if (!HEALTH_PATHS.includes(path) || !isReading(request.method)) return false;
		request.resume();
		if (path === "/healthz") sendJson(response, 200, { status: "ok" });
		else void sendReadiness(response, health);
		return true;
	};
}

function isReading(method: string | undefined): boolean {
	return method === "GET" || method === "HEAD";
}

async function sendReadiness(response: ServerResponse, health: Health): Promise<void> {
	const problems = await findProblems(health);
	if (response.destroyed) return;
	// What is merely degraded must not take the receiver out of service: callbacks that go nowhere are lost.
	const isFailing = problems.some(({ severity }) => severity !== "degraded");
	if (problems.length === 0) sendJson(response, 200, { status: "ready" });
	else if (isFailing) sendJson(response, 503, { status: "not ready", problems });
	else sendJson(response, 200, { status: "degraded", problems });
}

async function findProblems(health: Health): Promise<readonly Problem[]> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<readonly Problem[]>((resolve) => {
		timer = setTimeout(() => resolve([httpProblem("the health check takes too long")]), CHECK_TIME_MS);
	});
	try {
		return await Promise.race([health.check(), late]);
	} catch {
		return [httpProblem("the health check failed")];
	} finally {
		clearTimeout(timer);
	}
}

function httpProblem(message: string): Problem {
	return { source: "http", message };
}

function sendJson(response: ServerResponse, status: number, document: object): void {
	const body = Buffer.from(JSON.stringify(document));
	response.writeHead(status, {
		"Content-Type": "application/json;charset=UTF-8",
		"Cache-Control": "no-store",
		"Content-Length": body.length,
	});
	response.end(body);
}
