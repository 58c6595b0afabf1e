/** Who reports where an ingress asks nobody for a proof. */
export const ANONYMOUS = "anonymous";

/** May this app report this project's recordings? Asked after authentication and decoding, before anything is stored. */
export interface Admission {
	admit(request: { readonly appKey: string; readonly projectId: string }): Promise<AdmissionResult>;
}

export type AdmissionResult =
	| { readonly _tag: "Admitted" }
	| { readonly _tag: "NotAdmitted"; readonly message: string };
