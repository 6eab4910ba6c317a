import { isSaturated, planBasisOf } from '../forecast/plan-basis.js';
import { slotsPlanned } from '../forecast/plan-to-drain.js';
import { drainedIn } from '../forecast/plan-words.js';
import { predict } from '../forecast/predict.js';
import type { Brief } from '../model/brief.js';
import {
  about,
  briefAge,
  briefCount,
  briefDuration,
  briefRate,
  briefThings,
  jobsWaitBriefly,
} from '../model/brief.js';
import { slotsToDrain } from '../model/capacity.js';
import { fact } from '../model/evidence.js';
import type { FindingRule, Remedy } from '../model/finding.js';
import { formatCount, formatDuration, rowSeconds } from '../model/format.js';
import type { Plan } from '../model/plan.js';
import {
  connectedWorkers,
  isFull,
  secondsWithoutDeparture,
  waitedSeconds,
  workersOf,
} from '../model/queue-verdict.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { capitalized, magnitude, queueName } from '../model/words.js';
import type { WorkerState } from '../model/worker.js';
import { flowEvidence, forVerdict, mainWork } from './queue-evidence.js';

export const queueStuck: FindingRule = {
  code: 'queue.stuck',
  about:
    'Jobs wait and none has left for a while, though the queue is neither paused, capped nor rate limited.',
  detect: forVerdict(['stuck', 'blocked-by-memory'], (queue, snapshot, nowMs, thresholds) => {
    const quiet = briefAge(secondsWithoutDeparture(queue, nowMs));
    const evidence = flowEvidence(queue, snapshot);
    const name = queueName(queue);
    if (snapshot.nodes.some((node) => node.isFull)) {
      // redis.full is the cause and has the remedies; this line only says who is hit.
      return {
        severity: 'warning',
        causedBy: 'redis.full',
        ...about(name, 'blocked, as Redis is full'),
        cause: 'Redis is full and rejects the writes by which workers take jobs.',
        effect: `${jobsWaitBriefly(queue.backlog)}, and none has left for ${quiet}.`,
        action: 'Make room in Redis; restarting workers would not help.',
        evidence,
        rank: 50 + magnitude(queue.backlog),
      };
    }
    const isBusy = queue.counts.active > 0;
    return {
      severity: isBusy ? 'warning' : 'critical',
      ...(isBusy
        ? {
            ...about(name, `no completions for ${quiet}`),
            cause: `${briefThings(queue.counts.active, 'active job')} ${queue.counts.active === 1 ? 'does' : 'do'} not end: they take that long, or what they call hangs.`,
            effect: `${jobsWaitBriefly(queue.backlog)} behind them.`,
            action: 'Look at what these jobs call, then restart workers that hang.',
          }
        : {
            ...about(name, `no job taken for ${quiet}`),
            effect: `${jobsWaitBriefly(queue.backlog)}, and none runs.`,
            ...whyNoneTaken(countOf(queue, snapshot)),
          }),
      evidence,
      rank:
        (isBusy ? 600 : 650) +
        magnitude(queue.backlog) +
        (queue.backlog >= thresholds.backlogMinJobs ? 0 : -40),
    };
  }),
};

/** As CLIENT LIST counts them, or as many as are heard: a connection that is being made anew is not listed. */
function countOf(queue: QueueState, snapshot: Snapshot): number | null {
  const heard = connectedWorkers(queue, snapshot).length;
  return queue.workers === null && heard === 0 ? null : Math.max(queue.workers ?? 0, heard);
}

function whyNoneTaken(workers: number | null): Pick<Brief, 'cause' | 'action'> {
  if (workers === null) {
    return {
      cause: 'No worker runs, or they hang: this Redis does not say which.',
      action: 'Look at the worker processes.',
    };
  }
  return workers === 1
    ? {
        cause: 'Its worker is connected, but hangs or has a dead connection.',
        action: 'Reconnect or restart it; Redis has room.',
      }
    : {
        cause: `Its ${briefCount(workers)} workers are connected, but hang or have dead connections.`,
        action: 'Reconnect or restart them; Redis has room.',
      };
}

export const queueGrowing: FindingRule = {
  code: 'queue.growing',
  about: 'More jobs arrive than leave, and no pause, cap, rate limit or missing worker explains it.',
  detect: forVerdict(['growing'], (queue, snapshot) => {
    const arrivals = queue.rates?.arrivalsPerSecond ?? 0;
    const departures = queue.rates?.departuresPerSecond ?? 0;
    const oldest = waitedSeconds(queue, snapshot);
    const work = mainWork(queue);
    const waited = oldest === null ? '' : `, the oldest for ${briefDuration(oldest)}`;
    return {
      severity: 'warning',
      ...about(queueName(queue), `backlog growing by ${briefRate(queue.rates?.growthPerSecond ?? 0)}`),
      cause: `Jobs are added at ${briefRate(arrivals)}, but processed at ${briefRate(departures)}.`,
      effect: `${jobsWaitBriefly(queue.backlog)}${waited}; it never drains like this.`,
      // Measured: raising concurrency over the limit gave 77 → 80 jobs/s and 7,400 errors/s.
      action: isFull(snapshot)
        ? 'Make room in Redis before you scale anything.'
        : 'Raise concurrency, add workers, or slow the producers.',
      ...(work.words === '' ? {} : { detail: work.words }),
      evidence: [
        ...flowEvidence(queue, snapshot),
        fact('growth', 'growth', queue.rates?.growthPerSecond ?? 0, 'jobs/s'),
      ],
      rank: 500 + magnitude(queue.backlog),
      accountsFor: work.accountsFor,
    };
  }),
};

const DRAIN_WITHIN_SECONDS = 300;
const TIMES = 2;

export const queueOverloaded: FindingRule = {
  code: 'queue.overloaded',
  about: 'All slots of its workers are busy and finishing, and more arrives than they can do.',
  detect: forVerdict(['overloaded'], (queue, snapshot) => {
    const workers = workersOf(snapshot, queue.id);
    const able = workers.filter(({ agent, verdict }) => agent !== null && verdict !== 'crashed');
    const slots = able.reduce((sum, { agent }) => sum + (agent?.concurrency.now ?? 0), 0);
    // Half of its workers may have slots to spare, and the verdict is held against noise: shown is what is so now.
    const busy = able.reduce(
      (sum, { agent }) => sum + Math.min(agent?.running ?? 0, agent?.concurrency.now ?? 0),
      0,
    );
    const areAllBusy = busy >= slots;
    const crashed = workers.filter(
      ({ verdict, replacedBy }) => verdict === 'crashed' && replacedBy === null,
    ).length;
    const workersNow = briefThings(able.length, 'worker');
    const slotsNow = `${areAllBusy ? `all ${briefThings(slots, 'slot')}` : `${briefCount(busy)} of ${briefThings(slots, 'slot')}`} of ${workersNow} ${slots === 1 ? 'is' : 'are'} busy`;
    const work = mainWork(queue);
    const drain =
      queue.drainSeconds !== null && Number.isFinite(queue.drainSeconds)
        ? `drains in ${briefDuration(rowSeconds(queue.drainSeconds))}`
        : 'never drains like this';
    const late = able.filter(({ agent }) => agent !== null && isSaturated(agent)).length;
    const advice = isFull(snapshot)
      ? 'Make room in Redis before you scale anything.'
      : late * 2 > able.length
        ? 'Start more processes: the event loops of these are saturated.'
        : 'Raise concurrency if what they call can bear it, or add workers.';
    const outlook = isFull(snapshot) ? null : outlookOf(queue, snapshot, able, slots);
    return {
      severity: queue.rates?.isGrowing === true ? 'critical' : 'warning',
      // How many slots are busy just now is in the cause: a headline that changes by the second is not read.
      ...about(queueName(queue), `${workersNow} saturated`),
      cause:
        crashed > 0
          ? `${briefThings(crashed, 'worker')} crashed, and ${slotsNow}.`
          : `${capitalized(slotsNow)}${queue.rates?.isGrowing === true ? ', and more is added than they can do' : ''}.`,
      effect: `${jobsWaitBriefly(queue.backlog)}; it ${drain}.`,
      action: advice,
      detail: [work.words, outlook?.why ?? ''].filter((words) => words !== '').join(' '),
      evidence: [...flowEvidence(queue, snapshot), fact('slots', 'concurrency', slots, 'count')],
      remedies: outlook?.remedies ?? [],
      rank: 520 + magnitude(queue.backlog),
      accountsFor: work.accountsFor,
    };
  }),
};

/** Of the queues with most jobs it is planned what would do; a plan for each of a thousand would take too long. */
const MAX_PLANNED = 10;

interface Outlook {
  readonly remedies: readonly Remedy[];
  /** Why no number of slots is enough; empty where some is. */
  readonly why: string;
}

function outlookOf(
  queue: QueueState,
  snapshot: Snapshot,
  able: readonly WorkerState[],
  slots: number,
): Outlook {
  const larger = snapshot.queues.filter(({ backlog }) => backlog > queue.backlog).length;
  const basis = larger < MAX_PLANNED ? planBasisOf(snapshot, queue.id) : null;
  const planned = basis && slotsPlanned(basis, DRAIN_WITHIN_SECONDS);
  const within = formatDuration(DRAIN_WITHIN_SECONDS);
  const inTime = planned && 'slots' in planned ? planned : littles(queue, able);
  const isTold = planned === null || 'slots' in planned;
  const offered: Remedy[] = [];
  if (isTold && inTime && inTime.slots > slots) {
    offered.push({
      action: 'workers.concurrency',
      label: `Raise concurrency to drain in ${within}`,
      effect: `${formatCount(slots)} → ${formatCount(inTime.slots)} slots${shareInWords(inTime)}${inTime.plan ? `: ${drainedIn(inTime.plan)}` : ''}.`,
      queues: [queue.id],
      args: { drainWithinSeconds: DRAIN_WITHIN_SECONDS },
      suffices: doesDrain(inTime.plan),
    });
  }
  const deployed = able.reduce((sum, { agent }) => sum + (agent?.concurrency.deployed ?? 0), 0);
  if (deployed * TIMES > slots) {
    const plan = basis && predict(basis.input, { concurrency: deployed * TIMES });
    offered.push({
      action: 'workers.concurrency',
      label: 'Double concurrency',
      effect: `${formatCount(slots)} → ${formatCount(deployed * TIMES)} slots${plan ? `: ${drainedIn(plan)}` : ''}.`,
      queues: [queue.id],
      args: { factor: TIMES },
      suffices: doesDrain(plan),
    });
  }
  const why = planned && 'why' in planned ? planned.why : null;
  return { remedies: offered, why: why === null ? '' : `Not within ${within} by slots: ${why}` };
}

/** The aim of a queue that is behind: drained within the objective. null: not known. */
function doesDrain(plan: Plan | null): boolean | null {
  if (plan === null || plan.notKnown !== null) return null;
  return plan.drainSeconds !== null && plan.drainSeconds <= DRAIN_WITHIN_SECONDS;
}

/** " (11 for each of 2)": of those that follow, which may be fewer than are there. */
function shareInWords({
  perWorker,
  followers,
}: {
  readonly perWorker: number;
  readonly followers: number;
}): string {
  return followers === 1 ? '' : ` (${formatCount(perWorker)} for each of ${formatCount(followers)})`;
}

/** By Little's law as it is now, for queues that are not planned. */
function littles(queue: QueueState, able: readonly WorkerState[]) {
  const needed = slotsToDrain({
    backlog: queue.backlog,
    arrivalsPerSecond: queue.rates?.arrivalsPerSecond ?? 0,
    withinSeconds: DRAIN_WITHIN_SECONDS,
    workers: able,
  });
  if ('why' in needed) return null;
  const { perWorker } = needed;
  return { perWorker, followers: able.length, slots: perWorker * able.length, plan: null };
}
