// From a generated method to what @grpc/grpc-js serves and calls.

import {
	create,
	type DescMessage,
	type DescMethod,
	fromBinary,
	type MessageInitShape,
	type MessageShape,
	toBinary,
} from "@bufbuild/protobuf";
import type { MethodDefinition } from "@grpc/grpc-js";

type Typed<Input extends DescMessage, Output extends DescMessage> = DescMethod & {
	readonly input: Input;
	readonly output: Output;
};

/** As a client calls it. */
export function defineMethod<Input extends DescMessage, Output extends DescMessage>(
	method: Typed<Input, Output>,
): MethodDefinition<MessageInitShape<Input>, MessageShape<Output>> {
	return {
		...pathOf(method),
		requestSerialize: (request) => serialize(method.input, request),
		requestDeserialize: (bytes) => fromBinary(method.input, bytes) as MessageInitShape<Input>,
		responseSerialize: (response) => serialize(method.output, response as MessageInitShape<Output>),
		responseDeserialize: (bytes) => fromBinary(method.output, bytes),
	};
}

/** A request as it came. */
export interface Received<Message> {
	/** `undefined`: the bytes are no such message. */
	readonly message: Message | undefined;
	/** The message's bytes, decompressed. */
	readonly bytes: Uint8Array;
}

/** As a server serves it. What is no message reaches the handler too: @grpc/grpc-js would call it an internal error. */
export function defineServedMethod<Input extends DescMessage, Output extends DescMessage>(
	method: Typed<Input, Output>,
): MethodDefinition<Received<MessageShape<Input>>, MessageInitShape<Output>> {
	return {
		...pathOf(method),
		requestSerialize: () => refuseClientUse(),
		requestDeserialize: (bytes) => ({ message: parse(method.input, bytes), bytes }),
		responseSerialize: (response) => serialize(method.output, response),
		responseDeserialize: () => refuseClientUse(),
	};
}

function pathOf(method: DescMethod) {
	return {
		path: `/${method.parent.typeName}/${method.name}`,
		requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
		responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
	};
}

function serialize<Schema extends DescMessage>(schema: Schema, value: MessageInitShape<Schema>): Buffer {
	const { buffer, byteOffset, length } = toBinary(schema, create(schema, value));
	return Buffer.from(buffer, byteOffset, length);
}

function parse<Schema extends DescMessage>(
	schema: Schema,
	bytes: Uint8Array,
): MessageShape<Schema> | undefined {
	try {
		// What a newer contract has is of no use here, and would be held field by field.
		return fromBinary(schema, bytes, { readUnknownFields: false });
	} catch {
		return undefined;
	}
}

function refuseClientUse(): never {
	throw new TypeError("this definition is the server's; clients take recordingService of ./v1");
}
