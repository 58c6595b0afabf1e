import type { Ingress, Receive, ReceiveOutcome } from "../ports/index.js";
import { type IngressHarness, ingressSuite, type SenderVerdict } from "./ingress.js";
import { testFlaws } from "./test-suite-flaws.js";
import { describeConformance } from "./vitest.js";

interface Wire {
	readonly headers: Readonly<Record<string, string>>;
	readonly requestParam: string;
	readonly proof: "authentic" | "forged";
}
type Handle = (request: Wire, receive: Receive, requestId: string) => Promise<SenderVerdict>;

const MAX_BYTES = 1024;

const handle: Handle = async ({ requestParam, proof }, receive, requestId) => {
	if (proof === "forged" || requestParam.length > MAX_BYTES) return "rejected";
	const metadata = { ingress: "memory", requestId };
	const outcome = await receive({ requestParam, appKey: "app", metadata }).catch(() => undefined);
	if (outcome === undefined || outcome._tag === "Unavailable" || outcome._tag === "RateLimited")
		return "retry";
	return outcome._tag === "Quarantined" || outcome._tag === "Refused" ? "rejected" : "success";
};

/** An ingress without a wire: the harness hands requests over in memory. */
function harnessOf(handleRequest: Handle, options: { readonly drain?: boolean } = {}) {
	return async (): Promise<IngressHarness> => {
		let receive: Receive | undefined;
		let serial = 0;
		const inFlight = new Set<Promise<unknown>>();
		const ingress: Ingress = {
			async start(given) {
				receive = given;
				return {};
			},
			async stop() {
				if (options.drain === false) return;
				receive = undefined;
				await Promise.all(inFlight);
			},
		};
		return {
			ingress,
			appKey: "app",
			maxRequestParamBytes: MAX_BYTES,
			async send(_started, requestParam, proof, headers = {}) {
				if (receive === undefined) throw new Error("not started");
				serial += 1;
				const reply = handleRequest({ requestParam, proof, headers }, receive, `request-${serial}`);
				inFlight.add(reply);
				return reply.finally(() => inFlight.delete(reply));
			},
			dispose: async () => undefined,
		};
	};
}

describeConformance("an in-memory ingress", ingressSuite(harnessOf(handle)), { skips: [] });

const flaws: Record<
	string,
	{ readonly breaks: readonly string[]; readonly make: ReturnType<typeof harnessOf> }
> = {
	"it replies before the append": {
		breaks: ["retry-outcomes", "final-outcomes", "reply-after-receive", "throwing-receive"],
		make: harnessOf(async (request, receive, id) => {
			if (request.proof === "forged" || request.requestParam.length > MAX_BYTES) return "rejected";
			void handle(request, receive, id);
			return "success";
		}),
	},
	"it answers while receive is at work": {
		breaks: ["reply-after-receive"],
		make: harnessOf((request, receive, id) =>
			Promise.race([
				handle(request, receive, id),
				new Promise<SenderVerdict>((resolve) => setTimeout(() => resolve("success"), 70)),
			]),
		),
	},
	"it parses and writes the body again": {
		breaks: ["exact-text"],
		make: harnessOf((request, receive, id) => {
			let requestParam = request.requestParam;
			try {
				requestParam = JSON.stringify(JSON.parse(requestParam));
			} catch {}
			return handle({ ...request, requestParam }, receive, id);
		}),
	},
	"it reads the body as ASCII": {
		breaks: ["exact-text"],
		make: harnessOf((request, receive, id) =>
			handle(
				{ ...request, requestParam: request.requestParam.replace(/[^\x20-\x7e\r\n]/g, "?") },
				receive,
				id,
			),
		),
	},
	"what was there already is rejected": {
		breaks: ["success-outcomes"],
		make: harnessOf((request, receive, id) =>
			handle(request, async (report) => refusedInstead(await receive(report), "AlreadyReported"), id),
		),
	},
	"a header is part of the key": {
		breaks: ["payload-key"],
		make: harnessOf((request, receive, id) =>
			handle(
				request,
				(report) => {
					const key = request.headers["idempotency-key"];
					return receive(key === undefined ? report : { ...report, appKey: `${report.appKey} ${key}` });
				},
				id,
			),
		),
	},
	"a report of the same client is taken for one again": {
		breaks: ["payload-key"],
		make: rememberingClients,
	},
	"too often is final": {
		breaks: ["retry-outcomes"],
		make: harnessOf((request, receive, id) =>
			handle(request, async (report) => refusedInstead(await receive(report), "RateLimited"), id),
		),
	},
	"a throw of receive is a success": {
		breaks: ["throwing-receive"],
		make: harnessOf((request, receive, id) =>
			handle(
				request,
				(report) => receive(report).catch(() => ({ _tag: "Reported", stream: "recording-0" }) as const),
				id,
			),
		),
	},
	"it accepts forgeries": {
		breaks: ["authentic-only"],
		make: harnessOf((request, receive, id) => handle({ ...request, proof: "authentic" }, receive, id)),
	},
	"it accepts an oversize body": {
		breaks: ["bounded"],
		make: harnessOf(async (request, receive, id) =>
			request.requestParam.length > MAX_BYTES
				? handle({ ...request, requestParam: request.requestParam.slice(0, MAX_BYTES) }, receive, id)
				: handle(request, receive, id),
		),
	},
	"a fault is final": {
		breaks: ["retry-outcomes", "throwing-receive"],
		make: harnessOf(async (request, receive, id) => {
			const verdict = await handle(request, receive, id);
			return verdict === "retry" ? "rejected" : verdict;
		}),
	},
	"what is quarantined is called a success": {
		breaks: ["final-outcomes"],
		make: harnessOf(async (request, receive, id) => {
			const verdict = await handle(request, receive, id);
			return verdict === "rejected" &&
				request.proof === "authentic" &&
				request.requestParam.length <= MAX_BYTES
				? "success"
				: verdict;
		}),
	},
	"every request has the same id": {
		breaks: ["metadata"],
		make: harnessOf((request, receive) => handle(request, receive, "request")),
	},
	"stop does not wait": { breaks: ["drain"], make: harnessOf(handle, { drain: false }) },
};

function refusedInstead(outcome: ReceiveOutcome, tag: ReceiveOutcome["_tag"]): ReceiveOutcome {
	return outcome._tag === tag ? { _tag: "Refused", message: "as the test wants it" } : outcome;
}

/** The client's family is taken for the request. */
async function rememberingClients(): Promise<IngressHarness> {
	const seen = new Set<string>();
	return harnessOf(async (request, receive, id) => {
		const agent = request.headers["user-agent"]?.split("/")[0];
		if (agent !== undefined && seen.has(agent)) return "success";
		if (agent !== undefined) seen.add(agent);
		return handle(request, receive, id);
	})();
}

testFlaws("ingress", ingressSuite, flaws);
