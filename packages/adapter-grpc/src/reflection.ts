// Server reflection, so that tools find the services without their .proto files.

import { type DescFile, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { Server } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { file_google_rpc_error_details } from "./gen/google/rpc/error_details_pb.js";
import { file_grpc_health_v1_health } from "./gen/grpc/health/v1/health_pb.js";
import { file_reelkeep_v1_recording_service } from "./gen/reelkeep/v1/recording_service_pb.js";

const FILES = [file_reelkeep_v1_recording_service, file_google_rpc_error_details, file_grpc_health_v1_health];

/** *Errors*: throws an `Error` when the server has a reflection service already. */
export function addReflection(server: Server): void {
	// Of a package definition it reads the descriptors only. Those that @grpc/proto-loader makes have lost what is
	// `optional`, and tools refuse them.
	const fileDescriptorProtos = withImports(FILES).map(({ proto }) =>
		Buffer.from(toBinary(FileDescriptorProtoSchema, proto)),
	);
	const files = { format: "Protocol Buffer 3 DescriptorProto", type: {}, fileDescriptorProtos } as const;
	new ReflectionService({ files }).addToServer(server);
}

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
