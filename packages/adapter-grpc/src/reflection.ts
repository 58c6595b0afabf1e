// Server reflection, so that tools find the services without their .proto files. Answers no faster than they are read.

import { once } from "node:events";
import { createRegistry, type DescFile, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { status as Code, type handleBidiStreamingCall, type Server } from "@grpc/grpc-js";
import { defineServedMethod, type Received } from "./define-method.js";
import { file_google_rpc_error_details } from "./gen/google/rpc/error_details_pb.js";
import { file_grpc_health_v1_health } from "./gen/grpc/health/v1/health_pb.js";
import {
	file_grpc_reflection_v1_reflection,
	type ServerReflectionRequest,
	type ServerReflectionResponseSchema,
	ServerReflection as Service,
} from "./gen/grpc/reflection/v1/reflection_pb.js";
import { file_reelkeep_v1_recording_service } from "./gen/reelkeep/v1/recording_service_pb.js";

const FILES = withImports([
	file_reelkeep_v1_recording_service,
	file_google_rpc_error_details,
	file_grpc_health_v1_health,
	file_grpc_reflection_v1_reflection,
]);
const REGISTRY = createRegistry(...FILES);
const SERVICES = FILES.flatMap(({ services }) => services.map(({ typeName }) => ({ name: typeName })));

type Response = MessageInitShape<typeof ServerReflectionResponseSchema>;
type Answer = NonNullable<Response["messageResponse"]>;
type Handler = handleBidiStreamingCall<Received<ServerReflectionRequest>, Response>;

const METHOD = defineServedMethod(Service.method.serverReflectionInfo);
/** What tools of before 2023 ask for: the same messages on the wire. */
const ALPHA_PATH = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

/** *Errors*: throws an `Error` when the server has a reflection service already. */
export function addReflection(server: Server): void {
	const handlers = { ServerReflectionInfo: createHandler() };
	server.addService({ ServerReflectionInfo: METHOD }, handlers);
	server.addService({ ServerReflectionInfo: { ...METHOD, path: ALPHA_PATH } }, handlers);
}

/** Each may hold the questions of one packet, thousands of them, before anybody is asked who calls. */
const MAX_CALLS = 16;

function createHandler(): Handler {
	let open = 0;
	return (call) => {
		if (open >= MAX_CALLS) {
			call.emit("error", { code: Code.RESOURCE_EXHAUSTED, details: "too many are asking" });
			return;
		}
		open += 1;
		void answerAll(call).finally(() => {
			open -= 1;
		});
	};
}

async function answerAll(call: Parameters<Handler>[0]): Promise<void> {
	const gone = new AbortController();
	call.once("cancelled", () => gone.abort("gone"));
	try {
		// Read to its end, it would be destroyed with what is still to be written.
		for await (const received of call.iterator({ destroyOnReturn: false })) {
			const { message } = received as Received<ServerReflectionRequest>;
			const wasTaken = call.write(message === undefined ? NOT_UNDERSTOOD : respond(message));
			if (!wasTaken) await once(call, "drain", { signal: gone.signal });
		}
		call.end();
	} catch {
		// The caller has gone.
	}
}

function respond(request: ServerReflectionRequest): Response {
	return {
		validHost: request.host,
		originalRequest: request,
		messageResponse: answer(request.messageRequest),
	};
}

/** Pure. */
export function answer(request: ServerReflectionRequest["messageRequest"]): Answer {
	switch (request.case) {
		case "listServices":
			return { case: "listServicesResponse", value: { service: SERVICES } };
		case "fileByFilename":
			return filesAnswer(FILES.find(({ proto }) => proto.name === request.value));
		case "fileContainingSymbol":
			return filesAnswer(fileOf(request.value));
		case "fileContainingExtension":
			return notFound("there are no extensions here");
		case "allExtensionNumbersOfType":
			return REGISTRY.getMessage(request.value) === undefined
				? notFound("there is no such message")
				: { case: "allExtensionNumbersResponse", value: { baseTypeName: request.value } };
		case undefined:
			return {
				case: "errorResponse",
				value: { errorCode: Code.INVALID_ARGUMENT, errorMessage: "nothing is asked" },
			};
		default:
			return request satisfies never;
	}
}

/** A member's name leads to the file of what it is a member of. */
function fileOf(symbol: string): DescFile | undefined {
	const own = REGISTRY.get(symbol)?.file;
	if (own !== undefined) return own;
	const dot = symbol.lastIndexOf(".");
	const parent = dot === -1 ? undefined : REGISTRY.get(symbol.slice(0, dot));
	const member = symbol.slice(dot + 1);
	const isMember =
		(parent?.kind === "service" && parent.methods.some(({ name }) => name === member)) ||
		(parent?.kind === "message" && parent.fields.some(({ name }) => name === member)) ||
		(parent?.kind === "enum" && parent.values.some(({ name }) => name === member));
	return isMember ? parent?.file : undefined;
}

function filesAnswer(file: DescFile | undefined): Answer {
	if (file === undefined) return notFound("there is no such file, and nothing of that name");
	const fileDescriptorProto = withImports([file]).map(({ proto }) =>
		toBinary(FileDescriptorProtoSchema, proto),
	);
	return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function notFound(errorMessage: string): Answer {
	return { case: "errorResponse", value: { errorCode: Code.NOT_FOUND, errorMessage } };
}

const NOT_UNDERSTOOD: Response = {
	messageResponse: {
		case: "errorResponse",
		value: { errorCode: Code.INVALID_ARGUMENT, errorMessage: "the request cannot be parsed" },
	},
};

/** Each file behind those that it imports. */
function withImports(files: readonly DescFile[]): readonly DescFile[] {
	const found = new Set<DescFile>();
	const visit = (file: DescFile): void => {
		file.dependencies.forEach(visit);
		found.add(file);
	};
	files.forEach(visit);
	return [...found];
}
