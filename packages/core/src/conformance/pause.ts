/** Time for what is under way: of 0 ms, a turn of the event loop at least. */
export const pause = (delayMs = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));
