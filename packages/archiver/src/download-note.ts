// What is kept beside the bytes of an unfinished download: enough to ask for the rest of the very same object.

export interface DownloadNote {
	/** Of the source; opaque. */
	readonly validator: string;
	/** The whole object's length. */
	readonly totalBytes?: number;
}

export function writeNote({ validator, totalBytes }: DownloadNote): string {
	return JSON.stringify({ version: 1, validator, ...(totalBytes === undefined ? {} : { totalBytes }) });
}

/** `undefined`: not one of ours, or of a later release. */
export function readNote(text: string): DownloadNote | undefined {
	try {
		const { version, validator, totalBytes } = JSON.parse(text) as Readonly<Record<string, unknown>>;
		if (version !== 1 || typeof validator !== "string") return undefined;
		return { validator, ...(Number.isSafeInteger(totalBytes) ? { totalBytes: totalBytes as number } : {}) };
	} catch {
		return undefined;
	}
}
