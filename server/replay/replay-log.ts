import type { AuditLog } from '../model/audit-record.js';
import { formatCount } from '../model/format.js';
import { HIDDEN } from '../model/redact.js';
import type { OrderOutcome } from '../model/replay.js';
import { accountOf, hasEnded, type ReplayRecord } from '../model/replay.js';
import { type ReplayFilter, saidBy } from '../model/replay-spec.js';
import type { Actor } from '../model/role.js';
import type { RecordEvent } from '../model/timeline-entry.js';
import { auditOf } from '../timeline/audit-log.js';
import type { ReplayOrder } from './replay-request.js';
import type { ReplayRun, RunChange, RunEvent } from './replay-run.js';

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

interface ReplayLogDeps {
  readonly audit: AuditLog;
  readonly recordEvent: RecordEvent;
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
  record(kind: RunEvent, record: ReplayRecord, text: string): void {
    this.#deps.recordEvent({
      atMs: this.#deps.now(),
      instance: record.instance,
      kind: `replay.${kind}`,
      queue: record.queues.length === 1 ? (record.queues[0] ?? null) : null,
      worker: null,
      text,
      actor: kind === 'guarded' ? null : record.actor,
    });
  }

  /** What a person did, in the audit. @param record as it was before. @returns the id of the entry. */
  async audit(
    actor: Actor,
    what: 'start' | 'change' | 'forget',
    record: ReplayRecord,
    reason: string,
    args: Readonly<Record<string, unknown>>,
  ): Promise<string> {
    const { audit, newId, now } = this.#deps;
    const id = newId();
    const queue = record.queues.length === 1 ? (record.queues[0] ?? null) : null;
    const before = { state: String(record.state), rate: `${record.ratePerSecond}/s` };
    const after = {
      state: String(args.state ?? record.state),
      rate: `${String(args.ratePerSecond ?? record.ratePerSecond)}/s`,
    };
    const words = {
      start: ' begun.',
      forget: ' forgotten.',
      change: `: ${before.state} at ${before.rate} → ${after.state} at ${after.rate}.`,
    };
    const entry = auditOf(id, now(), actor, {
      reason,
      action: `replay.${what}`,
      instance: record.instance,
      queue,
      args: { replay: record.id, ...args },
      before: what === 'start' ? {} : before,
      after: what === 'forget' ? {} : after,
      summary: `Replay ${record.id}${words[what]}`,
    });
    await audit.append(entry);
    return id;
  }
}

/** What an order changes of a replay; empty: it is so already. */
function changeOfOrder(
  before: Pick<ReplayRecord, 'state' | 'ratePerSecond'>,
  { state, ratePerSecond, reason }: ReplayOrder,
  actor: string,
): RunChange {
  return {
    ...(ratePerSecond === undefined || ratePerSecond === before.ratePerSecond ? {} : { ratePerSecond }),
    ...(state === undefined || state === before.state
      ? {}
      : {
          state,
          pausedBy: state === 'paused' ? ('person' as const) : null,
          reason: saidBy(`By ${actor}`, reason),
        }),
  };
}

/** Carries an order out at one replay, and keeps it in audit and timeline. What goes wrong is the outcome. */
export async function orderReplay(
  log: ReplayLog,
  actor: Actor,
  run: ReplayRun,
  order: ReplayOrder,
  isDryRun: boolean,
): Promise<OrderOutcome> {
  const before = run.record;
  const change = changeOfOrder(before, order, actor.name);
  const base = {
    replay: before.id,
    instance: before.instance,
    queues: before.queues,
    warnings: [],
    auditId: null,
    undo: null,
    isDryRun,
  };
  const summary = inWords(before, change);
  if (isDryRun || Object.keys(change).length === 0) return { ...base, status: 'unchanged', summary };
  try {
    await run.change(change);
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown reason';
    return { ...base, status: 'failed', summary: `It could not be changed: ${why.slice(0, 200)}` };
  }
  const { state } = run.record;
  if (state !== (change.state ?? before.state) && hasEnded(run.record))
    return { ...base, status: 'refused', summary: `It has ended meanwhile: ${state}.` };
  // The change is made by now: that it can't be kept is said, and changes nothing.
  const auditId = await log.audit(actor, 'change', before, order.reason, { ...change }).catch(() => null);
  const warnings = auditId === null ? ['This change could not be written to the audit.'] : [];
  const to = `${change.ratePerSecond}/s`;
  if (change.ratePerSecond !== undefined)
    log.record('re-rated', before, saidBy(`${actor.name}: ${before.ratePerSecond}/s → ${to}`, order.reason));
  const event = change.state === 'paused' ? 'paused' : change.state === 'running' ? 'resumed' : 'finished';
  if (change.state !== undefined)
    log.record(event, before, saidBy(`${actor.name}: ${change.state}`, order.reason));
  return { ...base, status: 'applied', summary, auditId, warnings };
}

/** "Paused: 1,200 jobs stay where they are." */
function inWords(before: ReplayRecord, { state, ratePerSecond }: RunChange): string {
  const { remaining, isCounted } = accountOf(before.counts, before.isSwept);
  const left = isCounted
    ? `${formatCount(remaining)} jobs that have not had their turn`
    : 'what has not had its turn';
  const rate = `${ratePerSecond ?? before.ratePerSecond}/s at most`;
  const words = [
    state === 'paused' ? `paused: nothing is moved, ${left} stay where they are until it is resumed` : null,
    state === 'running' ? `running again, at ${rate}` : null,
    state === 'aborted' ? `ended for good: ${left} stay where they are` : null,
    ratePerSecond === undefined ? null : `rate ${before.ratePerSecond}/s → ${ratePerSecond}/s`,
  ].filter((word) => word !== null);
  if (words.length === 0) return `It is so already: ${before.state}, ${rate}.`;
  return `Replay ${words.join('; ')}.`;
}
