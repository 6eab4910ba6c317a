import type { FC } from 'hono/jsx';
import { rowSeconds } from '../server/model/format.js';
import { graceMsOf, hangingJobs } from '../server/model/hanging.js';
import type { QueueState } from '../server/model/snapshot.js';
import type { AgentFacts, WorkerState } from '../server/model/worker.js';
import { Cells, type SlotCell, type SlotState } from './drawn/cells.js';
import { UNKNOWN } from './words.js';
import { heardNow } from './worker-words.js';

/** A job that has taken this share of the grace period of its kind is slow. */
const SLOW_RATIO = 0.5;
/** One that a person set to thousands is drawn as far as it can be seen. */
const MAX_SLOTS = 400;

/** The slots of a worker, by what the job in each does; where no agent tells, nothing is known of them. */
export const WorkerSlots: FC<{
  readonly worker: WorkerState;
  /** null: it is not known now. */
  readonly queue: QueueState | null;
  readonly nowMs: number;
  readonly perRow?: number;
}> = ({ worker, queue, nowMs, perRow = 10 }) =>
  worker.agent === null ? (
    <span class="muted">{UNKNOWN}</span>
  ) : (
    <Cells
      title={`Slots of ${worker.label}`}
      slots={slotsOfWorker(worker, worker.agent, queue, nowMs)}
      perRow={perRow}
    />
  );

function slotsOfWorker(
  worker: WorkerState,
  agent: AgentFacts,
  queue: QueueState | null,
  nowMs: number,
): readonly SlotCell[] {
  const all = Math.min(MAX_SLOTS, Math.max(agent.concurrency.now, agent.running));
  const fill = (state: SlotState, count: number): readonly SlotCell[] =>
    Array.from({ length: Math.max(0, count) }, () => ({ state, ageMs: null }));
  if (worker.verdict === 'crashed') return fill('gone', all);
  // Its process hangs, and whatever is in it.
  if (heardNow(worker, nowMs) === null)
    return [...fill('stuck', Math.min(all, agent.running)), ...fill('unknown', all - agent.running)];
  if (worker.verdict === 'unknown') return fill('unknown', all);
  const hanging = new Set(hangingJobs(agent, queue, nowMs));
  const named = agent.oldest.slice(0, all).map((job): SlotCell => {
    const ageMs = nowMs - job.startedAtMs;
    const isSlow = ageMs > graceMsOf(agent, queue, job.type) * SLOW_RATIO;
    // An age that changes every second would send the row every second.
    return {
      state: hanging.has(job) ? 'stuck' : isSlow ? 'old' : 'busy',
      ageMs: rowSeconds(ageMs / 1000) * 1000,
    };
  });
  const unnamed = fill('busy', Math.min(all, agent.running) - named.length);
  return [...named, ...unnamed, ...fill(freeStateOf(worker), all - named.length - unnamed.length)];
}

/** Why a free slot takes no job. */
function freeStateOf({ verdict }: WorkerState): SlotState {
  if (verdict === 'silent') return 'deaf';
  if (verdict === 'blocked') return 'blocked';
  return verdict === 'paused' || verdict === 'draining' ? 'paused' : 'idle';
}
