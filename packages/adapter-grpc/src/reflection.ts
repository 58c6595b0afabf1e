// Server reflection, so that tools find the services without their .proto files.

import { create, type DescFile, toBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { Server } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { file_google_rpc_error_details } from "./gen/google/rpc/error_details_pb.js";
import { file_grpc_health_v1_health } from "./gen/grpc/health/v1/health_pb.js";
import { file_reelkeep_v1_recording_service } from "./gen/reelkeep/v1/recording_service_pb.js";

/** *Errors*: throws an `Error` when the server has a reflection service already. */
export function addReflection(server: Server): void {
	const files = [
		file_reelkeep_v1_recording_service,
		file_google_rpc_error_details,
		file_grpc_health_v1_health,
	];
	const set = create(FileDescriptorSetSchema, { file: withImports(files) });
	const definition = loadFileDescriptorSetFromBuffer(Buffer.from(toBinary(FileDescriptorSetSchema, set)));
	new ReflectionService(definition).addToServer(server);
}

/** Each file behind those that it imports. */
function withImports(files: readonly DescFile[]): FileDescriptorProto[] {
	const found = new Map<string, FileDescriptorProto>();
	const visit = (file: DescFile): void => {
		if (found.has(file.name)) return;
		file.dependencies.forEach(visit);
		found.set(file.name, file.proto);
	};
	files.forEach(visit);
	return [...found.values()];
}
