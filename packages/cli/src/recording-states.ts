/** What a reported recording may be: waiting for its video, or at rest. */
export const RECORDING_STATES = ["pending", "archived", "expired", "abandoned"] as const;
