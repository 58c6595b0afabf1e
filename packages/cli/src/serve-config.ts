// What `reelkeep serve` was asked for, from flags and environment, checked before anything starts.

import type { Apps, FailureAnswer } from "@reelkeep/adapter-http";
import type { AppProjects, QuarantineQuota, ReceiveOptions } from "@reelkeep/core";
import { type AppFlags, type ProjectFlags, readAppsConfig, readProjectsConfig } from "./apps-config.js";
import { type ArchivingConfig, type ArchivingFlags, readArchivingConfig } from "./archive-config.js";
import { parseWholeNumber } from "./flag-values.js";
import { parseAddress, parseNumber, UsageError } from "./flags.js";
import { type GrpcConfig, type GrpcFlags, readGrpcConfig } from "./grpc-config.js";
import { readStoragePlaces, type StorageFlags, type StoragePlaces } from "./storage-config.js";
import { readVerifierConfig, type VerifierConfig, type VerifierFlags } from "./verifier-config.js";

/** As of `ReceiveOptions.rateLimit`. */
const RATE_RANGE = { least: 0.001, most: 100_000 };

export interface ServeFlags
	extends AppFlags,
		ProjectFlags,
		VerifierFlags,
		GrpcFlags,
		StorageFlags,
		ArchivingFlags {
	readonly events?: string;
	readonly videos?: string;
	readonly http: string;
	readonly path?: string;
	readonly failureAnswer: FailureAnswer;
	readonly rateLimit?: string;
	readonly quarantineCallbacks?: string;
	readonly quarantineMib?: string;
}

export interface ServeConfig {
	readonly storage: StoragePlaces;
	/** `undefined`: no HTTP ingress. */
	readonly http: HttpConfig | undefined;
	/** `undefined`: no gRPC ingress. */
	readonly grpc: GrpcConfig | undefined;
	/** Of HTTP, and of signed reports over gRPC. */
	readonly apps: Apps;
	readonly clockToleranceMs: number;
	/** `undefined`: each app may report about every project. */
	readonly projects: AppProjects | undefined;
	readonly receive: ReceiveOptions;
	readonly quarantineQuota: Partial<QuarantineQuota>;
	readonly archiving: ArchivingConfig;
	/** What the user should know although it works. */
	readonly warnings: readonly string[];
}

/** Options of `httpIngress`, but for the apps. */
interface HttpConfig extends VerifierConfig {
	readonly host: string;
	readonly port: number;
	readonly path?: string;
	readonly failureAnswer: FailureAnswer;
}

/** *Errors*: throws a `UsageError`. */
export function serveConfig(flags: ServeFlags, environment: NodeJS.ProcessEnv): ServeConfig {
	const { apps, warnings } = readAppsConfig(flags, environment);
	const http = flags.http === "off" ? undefined : httpConfig(flags, environment);
	const { grpc, reporters, warnings: grpcWarnings } = readGrpcConfig(flags, environment);
	requireApps(apps, http !== undefined, grpc?.isSigned === true);
	// Apps report only where something is signed.
	const signing = http !== undefined || grpc?.isSigned === true ? Object.keys(apps) : [];
	const projects = readProjectsConfig(flags, environment, [...new Set([...signing, ...reporters])]);
	const reportsPerSecond = parseNumber("--rate-limit", flags.rateLimit, RATE_RANGE);
	const maxCallbacks = parseWholeNumber("--quarantine-callbacks", flags.quarantineCallbacks, { least: 1 });
	const maxMib = parseNumber("--quarantine-mib", flags.quarantineMib, { least: 1 });
	return {
		http,
		grpc,
		apps,
		clockToleranceMs: readVerifierConfig(flags, environment).clockToleranceMs,
		projects: projects.projects,
		receive: reportsPerSecond === undefined ? {} : { rateLimit: { reportsPerSecond } },
		quarantineQuota: {
			...(maxCallbacks === undefined ? {} : { maxCallbacks }),
			...(maxMib === undefined ? {} : { maxBytes: maxMib * 1024 * 1024 }),
		},
		storage: readStoragePlaces(flags, environment),
		archiving: readArchivingConfig(flags, environment),
		warnings: [...warnings, ...grpcWarnings, ...projects.warnings],
	};
}

function requireApps(apps: Apps, isHttp: boolean, isSignedGrpc: boolean): void {
	if (Object.keys(apps).length > 0 || !(isHttp || isSignedGrpc)) return;
	throw new UsageError(
		`no app may report: give --apps-file FILE (lines KEY=SECRET), --app KEY=SECRET or REELKEEP_APPS; or ${
			isHttp ? "--http off" : "no --grpc-verify"
		}`,
	);
}

function httpConfig(flags: ServeFlags, environment: NodeJS.ProcessEnv): HttpConfig {
	const { path, failureAnswer } = flags;
	return {
		...parseAddress("--http", flags.http),
		...readVerifierConfig(flags, environment),
		...(path ? { path } : {}),
		failureAnswer,
	};
}
