const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

/** Whether this Node has a `node:sqlite` that says whether a transaction is under way. */
export const hasSqlite = major >= 24 || (major === 22 && minor >= 16);
