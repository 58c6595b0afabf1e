// How `reelkeep serve` is reached over gRPC, and who must prove what there. Pure but for reading files.

import { readFileSync } from "node:fs";
import type { Tokens } from "@reelkeep/adapter-grpc";
import { ANONYMOUS } from "@reelkeep/core/ports";
import { listOf, parseAddress, UsageError } from "./flags.js";
import { collectSecrets, readSecretsFile, type SecretWords, warnOfReaders } from "./named-secrets.js";

export interface GrpcFlags {
	readonly grpc: string;
	readonly grpcTokenFile?: string;
	readonly grpcSubscriber?: readonly string[];
	readonly grpcTlsCert?: string;
	readonly grpcTlsKey?: string;
	readonly grpcTlsClientCa?: string;
	readonly grpcTlsClient?: readonly string[];
	readonly grpcVerify?: "top";
}

/** Options of `grpcIngress`, but for the verifier, which is made of the apps. */
export interface GrpcConfig {
	readonly host: string;
	readonly port: number;
	readonly tls?: { readonly cert: Buffer; readonly key: Buffer; readonly clientCa?: Buffer };
	readonly tokens?: Tokens;
	readonly clients?: readonly string[];
	readonly subscribers?: readonly string[];
	/** Each report must be signed by an app. */
	readonly isSigned: boolean;
}

export interface GrpcConfigResult {
	/** `undefined`: no gRPC ingress. */
	readonly grpc: GrpcConfig | undefined;
	/** Who reports there, besides apps that sign. */
	readonly reporters: readonly string[];
	readonly warnings: readonly string[];
}

const WORDS: SecretWords = {
	owner: "caller",
	anOwner: "a caller",
	secret: "token",
	file: "--grpc-token-file",
	ownerForm: "CALLER",
	secretForm: "TOKEN",
};

/** *Errors*: throws a `UsageError`, which never holds a token. */
export function readGrpcConfig(flags: GrpcFlags, environment: NodeJS.ProcessEnv): GrpcConfigResult {
	const subscribers = flags.grpcSubscriber ?? listOf(environment.REELKEEP_GRPC_SUBSCRIBER);
	const clients = flags.grpcTlsClient ?? listOf(environment.REELKEEP_GRPC_TLS_CLIENT);
	if (flags.grpc === "off") return nothing(flags, [...subscribers, ...clients]);
	const file = flags.grpcTokenFile ? readSecretsFile(flags.grpcTokenFile, WORDS) : undefined;
	const tokens = file && toTokens(collectSecrets([file], WORDS));
	const { tls, warnings } = readTls(flags, clients);
	const callers = callersOf(tokens, clients);
	const stranger = subscribers.find((name) => !callers.includes(name));
	if (stranger !== undefined) {
		throw new UsageError(
			`--grpc-subscriber names ${stranger}, who has no ${tokens === undefined ? "certificate (--grpc-tls-client) and no token" : "token"} (--grpc-token-file)`,
		);
	}
	const isSigned = flags.grpcVerify === "top";
	const grpc: GrpcConfig = {
		...parseAddress("--grpc", flags.grpc),
		...(tls === undefined ? {} : { tls }),
		...(tokens === undefined ? {} : { tokens }),
		...(clients.length === 0 ? {} : { clients }),
		...(subscribers.length === 0 ? {} : { subscribers }),
		isSigned,
	};
	return {
		grpc,
		reporters: isSigned ? [] : reportersOf(callers, subscribers),
		warnings: [...warnings, ...(file?.warning === undefined ? [] : [file.warning])],
	};
}

/** Whoever calls with a token is called by its name, with a certificate alone by the certificate's. */
function callersOf(tokens: Tokens | undefined, clients: readonly string[]): readonly string[] {
	return tokens === undefined ? clients : Object.keys(tokens);
}

function reportersOf(callers: readonly string[], subscribers: readonly string[]): readonly string[] {
	return callers.length === 0 ? [ANONYMOUS] : callers.filter((name) => !subscribers.includes(name));
}

function readTls(
	{ grpcTlsCert: cert, grpcTlsKey: key, grpcTlsClientCa: clientCa }: GrpcFlags,
	clients: readonly string[],
): { readonly tls: GrpcConfig["tls"]; readonly warnings: readonly string[] } {
	if (!cert !== !key) throw new UsageError("--grpc-tls-cert and --grpc-tls-key go together");
	if (clientCa && !cert) {
		throw new UsageError(
			"--grpc-tls-client-ca needs a certificate of our own: --grpc-tls-cert and --grpc-tls-key",
		);
	}
	if (clients.length > 0 && !clientCa) {
		throw new UsageError(
			"--grpc-tls-client names certificates: give --grpc-tls-client-ca FILE, who signs them",
		);
	}
	if (clientCa && clients.length === 0) {
		throw new UsageError(
			"--grpc-tls-client-ca alone lets in whomever it has signed for: give --grpc-tls-client NAME for each that may call",
		);
	}
	if (!cert || !key) return { tls: undefined, warnings: [] };
	const own = { cert: readPem("--grpc-tls-cert", cert), key: readPem("--grpc-tls-key", key) };
	const { warning } = warnOfReaders(key);
	return {
		tls: clientCa ? { ...own, clientCa: readPem("--grpc-tls-client-ca", clientCa) } : own,
		warnings: warning === undefined ? [] : [warning],
	};
}

function readPem(flag: string, file: string): Buffer {
	try {
		return readFileSync(file);
	} catch (error) {
		const { code = "unreadable" } = error as NodeJS.ErrnoException;
		throw new UsageError(`cannot read ${flag} ${file}: ${code}`);
	}
}

function toTokens(owners: ReturnType<typeof collectSecrets>): Tokens {
	const all = [...owners].map(([name, tokens]) => [
		name,
		tokens.map(({ id, secret }) => ({ id, token: secret })),
	]);
	return Object.fromEntries(all);
}

function nothing(flags: GrpcFlags, names: readonly string[]): GrpcConfigResult {
	const { grpcTokenFile, grpcTlsCert, grpcTlsKey, grpcTlsClientCa, grpcVerify } = flags;
	const given = [grpcTokenFile, grpcTlsCert, grpcTlsKey, grpcTlsClientCa, grpcVerify, ...names].some(Boolean);
	if (given) throw new UsageError("options of gRPC are given, and no address: --grpc HOST:PORT");
	return { grpc: undefined, reporters: [], warnings: [] };
}
