import type { AuditLog } from '../model/audit-record.js';
import type { Actor } from '../model/role.js';
import type { RecordEvent } from '../model/timeline-entry.js';
import { auditOfReplay } from './audit-replay.js';
import type { ReplayRecord } from './replay-record.js';
import type { RunEvent } from './run-deps.js';

export interface ReplayLogDeps {
  readonly audit: AuditLog;
  readonly tell: RecordEvent;
  readonly now: () => number;
  readonly newId: () => string;
}

/** What is kept of replays for those who read later: the audit of orders, and the timeline. */
export class ReplayLog {
  readonly #deps: ReplayLogDeps;

  constructor(deps: ReplayLogDeps) {
    this.#deps = deps;
  }

  /** An entry of the timeline. What the guard did was nobody's order. */
  tell(kind: RunEvent, record: ReplayRecord, text: string): void {
    this.#deps.tell({
      atMs: this.#deps.now(),
      instance: record.instance,
      kind: `replay.${kind}`,
      queue: record.queues.length === 1 ? (record.queues[0] ?? null) : null,
      worker: null,
      text,
      actor: kind === 'guarded' ? null : record.actor,
    });
  }

  /** @param record as it was before. @returns the id of the entry. */
  async audit(
    actor: Actor,
    what: 'start' | 'change' | 'forget',
    record: ReplayRecord,
    reason: string,
    args: Readonly<Record<string, unknown>>,
  ): Promise<string> {
    const { audit, newId, now } = this.#deps;
    const id = newId();
    await audit.append(auditOfReplay(id, now(), actor, what, record, reason, args));
    return id;
  }
}
