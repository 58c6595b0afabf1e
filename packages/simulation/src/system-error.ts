// Errors as the system gives them, told by their code.

export interface SystemError extends Error {
	readonly code: string;
}

export function systemError(code: string, what: string): SystemError {
	return Object.assign(new Error(`${code}: ${what}`), { code });
}
