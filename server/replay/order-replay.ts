import { formatCount } from '../model/format.js';
import type { Actor } from '../model/role.js';
import { accountOf } from './replay-account.js';
import type { ReplayLog } from './replay-log.js';
import { hasEnded, type ReplayRecord } from './replay-record.js';
import type { OrderOutcome, ReplayOrder } from './replay-request.js';
import type { ReplayRun, RunChange } from './replay-run.js';

/** What an order changes of a replay; empty: it is so already. */
export function changeOfOrder(
  before: Pick<ReplayRecord, 'state' | 'ratePerSecond'>,
  { state, ratePerSecond, reason }: ReplayOrder,
  actor: string,
): RunChange {
  return {
    ...(ratePerSecond === undefined || ratePerSecond === before.ratePerSecond ? {} : { ratePerSecond }),
    ...(state === undefined || state === before.state
      ? {}
      : { state, pausedBy: state === 'paused' ? ('person' as const) : null, reason: `${actor}: ${reason}` }),
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
  const { auditId, warnings } = await kept(log, actor, before, order.reason, change);
  tell(log, actor, before, order.reason, change);
  return { ...base, status: 'applied', summary, auditId, warnings };
}

/** The change is made by then: that it can't be kept is told, and changes nothing. */
async function kept(
  log: ReplayLog,
  actor: Actor,
  before: ReplayRecord,
  reason: string,
  change: RunChange,
): Promise<Pick<OrderOutcome, 'auditId' | 'warnings'>> {
  try {
    return { auditId: await log.audit(actor, 'change', before, reason, { ...change }), warnings: [] };
  } catch {
    return { auditId: null, warnings: ['This change could not be written to the audit.'] };
  }
}

function tell(log: ReplayLog, actor: Actor, before: ReplayRecord, reason: string, change: RunChange): void {
  if (change.ratePerSecond !== undefined)
    log.tell(
      're-rated',
      before,
      `${actor.name}: ${before.ratePerSecond}/s → ${change.ratePerSecond}/s: ${reason}`,
    );
  const event = change.state === 'paused' ? 'paused' : change.state === 'running' ? 'resumed' : 'finished';
  if (change.state !== undefined) log.tell(event, before, `${actor.name}: ${change.state}: ${reason}`);
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
