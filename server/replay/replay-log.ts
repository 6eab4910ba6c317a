import type { AuditLog, AuditRecord } from '../model/audit-record.js';
import type { Actor } from '../model/role.js';
import type { RecordEvent } from '../model/timeline-entry.js';
import { auditOf } from '../timeline/audit-log.js';
import type { ReplayFilter } from './replay-filter.js';
import type { ReplayRecord } from './replay-record.js';
import type { RunEvent } from './replay-run.js';

/** What a person did with a replay, as the audit keeps it. `record` is as it was before. */
function auditOfReplay(
  id: string,
  atMs: number,
  actor: Actor,
  what: 'start' | 'change' | 'forget',
  record: ReplayRecord,
  reason: string,
  args: Readonly<Record<string, unknown>>,
): AuditRecord {
  const isStart = what === 'start';
  const before = { state: record.state, rate: `${record.ratePerSecond}/s` };
  const after = {
    state: String(args.state ?? record.state),
    rate: `${String(args.ratePerSecond ?? record.ratePerSecond)}/s`,
  };
  return auditOf(id, atMs, actor, {
    reason,
    action: `replay.${what}`,
    instance: record.instance,
    queue: record.queues.length === 1 ? (record.queues[0] ?? null) : null,
    args: { replay: record.id, ...args },
    before: isStart ? {} : before,
    after: what === 'forget' ? {} : after,
    summary: isStart
      ? `Replay ${record.id} begun.`
      : what === 'forget'
        ? `Replay ${record.id} forgotten.`
        : `Replay ${record.id}: ${before.state} at ${before.rate} → ${after.state} at ${after.rate}.`,
  });
}

/** Stands for what a filter holds of job data and errors, where roles may read it that see neither. */
const HIDDEN = '(hidden)';

/** A filter without what its author has seen of jobs: the value that a field of data must have, and the text of errors. */
export function withoutJobData({
  dataField,
  errorText,
  ...filter
}: ReplayFilter): Readonly<Record<string, unknown>> {
  return {
    ...filter,
    ...(errorText === undefined ? {} : { errorText: HIDDEN }),
    ...(dataField === undefined ? {} : { dataField: { path: dataField.path } }),
  };
}

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
