// The emitter of notices, beside the one of events.

import { createGuardedEmitter, type GuardedEmitter, type GuardedEvents } from "./guarded-emitter.js";
import type { Notice } from "./ports/notices.js";
import type { Logger } from "./ports/runtime.js";

export type NoticeEvents = GuardedEvents<Notice>;

export function createNoticeEmitter(logger: Logger): GuardedEmitter<Notice> {
	return createGuardedEmitter<Notice>(logger, ({ type, stream }) => ({ type, stream }));
}
