// What the example takes of `node:sqlite`, which `@types/node` has from version 22 on.

declare module "node:sqlite" {
	export interface Statement {
		all(...values: readonly (string | number | bigint)[]): unknown[];
		get(...values: readonly (string | number | bigint)[]): unknown;
		run(...values: readonly (string | number | bigint)[]): unknown;
	}
	export class DatabaseSync {
		constructor(file: string);
		exec(sql: string): void;
		prepare(sql: string): Statement;
		close(): void;
		readonly isTransaction: boolean;
	}
}
