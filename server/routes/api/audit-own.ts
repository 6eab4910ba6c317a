import type { Actor } from '../../model/role.js';
import { ALL_INSTANCES } from '../../model/timeline-entry.js';
import { auditOf } from '../../timeline/audit-of.js';
import type { AppDeps } from '../app-deps.js';

/** What somebody did that no action does: a canary job, a test of a channel, a message sent again or forgotten. */
export interface OwnAct {
  readonly action: 'queue.canary' | 'channel.test' | 'outbox.resend' | 'outbox.remove';
  /** Absent: about the console. */
  readonly instance?: string;
  readonly queue?: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly summary: string;
  readonly isDone: boolean;
  readonly durationMs: number;
}

/** Keeps who did it and what came of it. A store that can't keep it is told elsewhere, and undoes nothing. */
export async function auditOwn(deps: AppDeps, actor: Actor, act: OwnAct): Promise<void> {
  const { action, args, summary, durationMs, isDone } = act;
  const record = auditOf(deps.newId(), deps.now(), actor, {
    action,
    instance: act.instance ?? ALL_INSTANCES,
    queue: act.queue ?? null,
    args,
    status: isDone ? 'applied' : 'failed',
    summary,
    durationMs,
  });
  await deps.audit.append(record).catch(() => undefined);
}
