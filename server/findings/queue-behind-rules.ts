import { isSaturated, planBasisOf } from '../forecast/plan-basis.js';
import { slotsPlanned } from '../forecast/plan-to-drain.js';
import { rangeWords } from '../forecast/plan-words.js';
import { predict } from '../forecast/predict.js';
import { slotsToDrain } from '../model/capacity.js';
import { fact } from '../model/evidence.js';
import type { FindingRule, Remedy } from '../model/finding.js';
import { formatCount, formatDuration, formatJobs, formatRate, rowSeconds } from '../model/format.js';
import type { Plan } from '../model/plan.js';
import {
  connectedWorkers,
  isFull,
  secondsWithoutDeparture,
  waitedSeconds,
  workersOf,
} from '../model/queue-verdict.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { jobsWait, lowerFirst, magnitude, queueName, workersInWords } from '../model/words.js';
import type { WorkerState } from '../model/worker.js';
import { flowEvidence, forVerdict, mainWork } from './queue-evidence.js';

export const queueStuck: FindingRule = {
  code: 'queue.stuck',
  about:
    'Jobs wait and none has left for a while, though the queue is neither paused, capped nor rate limited.',
  detect: forVerdict(['stuck', 'blocked-by-memory'], (queue, snapshot, nowMs, thresholds) => {
    const quiet = formatDuration(secondsWithoutDeparture(queue, nowMs));
    const evidence = flowEvidence(queue, snapshot);
    const name = queueName(queue);
    if (snapshot.nodes.some((node) => node.isFull)) {
      // redis.full is the cause and has the remedies; this line only says who is hit.
      return {
        severity: 'warning',
        causedBy: 'redis.full',
        headline: 'Stuck because Redis is full',
        sentence: `${jobsWait(queue)} in ${name} and none has left for ${quiet}, because Redis is full and refuses the writes by which ${workersInWords(queue)} take jobs: make room in Redis first; restarting workers would not help.`,
        evidence,
        rank: 50 + magnitude(queue.backlog),
      };
    }
    const isBusy = queue.counts.active > 0;
    return {
      severity: isBusy ? 'warning' : 'critical',
      headline: isBusy ? 'Nothing finishes' : 'Stuck',
      sentence: isBusy
        ? `${jobsWait(queue)} in ${name} behind ${formatJobs(queue.counts.active)} that ${queue.counts.active === 1 ? 'runs' : 'run'}, and none has finished for ${quiet}: either these jobs take that long, or what they call hangs.`
        : `${jobsWait(queue)} in ${name} and none has been taken for ${quiet}${whyNoneTaken(countOf(queue, snapshot))}.`,
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

function whyNoneTaken(workers: number | null): string {
  if (workers === null) {
    return ': either no worker runs or they hang (this Redis does not let the console list clients, so it can not tell which); look at the worker processes';
  }
  return workers === 1
    ? ', though its 1 worker is connected: it hangs, or its connection is dead; reconnect or restart it, Redis has room'
    : `, though its ${workers} workers are connected: they hang, or their connections are dead; reconnect or restart them, Redis has room`;
}

export const queueGrowing: FindingRule = {
  code: 'queue.growing',
  about: 'More jobs arrive than leave, and no pause, cap, rate limit or missing worker explains it.',
  detect: forVerdict(['growing'], (queue, snapshot) => {
    const arrivals = queue.rates?.arrivalsPerSecond ?? 0;
    const departures = queue.rates?.departuresPerSecond ?? 0;
    const oldest = waitedSeconds(queue, snapshot);
    const work = mainWork(queue);
    const waited = oldest === null ? '' : `, the oldest for ${formatDuration(oldest)}`;
    return {
      severity: 'warning',
      headline: `Growing by ${formatRate(queue.rates?.growthPerSecond ?? 0)}`,
      sentence: `${formatRate(arrivals)} arrive in ${queueName(queue)} but only ${formatRate(departures)} leave: ${jobsWait(queue)}${waited}, and it never drains at these rates; ${advice(queue, snapshot)}.${work.words}`,
      evidence: [
        ...flowEvidence(queue, snapshot),
        fact('growth', 'growth', queue.rates?.growthPerSecond ?? 0, 'jobs/s'),
      ],
      rank: 500 + magnitude(queue.backlog),
      accountsFor: work.accountsFor,
    };
  }),
};

function advice(queue: QueueState, snapshot: Snapshot): string {
  // Measured: raising concurrency over the limit gave 77 → 80 jobs/s and 7,400 errors/s.
  if (isFull(snapshot)) return 'Redis is full, so make room before you scale anything';
  const who =
    queue.workers === null
      ? 'its workers'
      : queue.workers === 1
        ? 'its 1 worker'
        : `its ${queue.workers} workers`;
  return `give ${who} more concurrency, add workers, or slow the producers`;
}

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
    const cause =
      crashed > 0
        ? ` ${crashed === 1 ? '1 of its workers has' : `${crashed} of its workers have`} crashed, which is why.`
        : '';
    const work = mainWork(queue);
    const drain =
      queue.drainSeconds !== null && Number.isFinite(queue.drainSeconds)
        ? `needs ${formatDuration(rowSeconds(queue.drainSeconds))} to drain`
        : 'never drains at these rates';
    const late = able.filter(({ agent }) => agent !== null && isSaturated(agent)).length;
    const advice = isFull(snapshot)
      ? 'Redis is full, so make room before you scale anything'
      : late * 2 > able.length
        ? 'their event loops are saturated, so start more processes'
        : 'raise their concurrency if what they call can bear it, or start more';
    const outlook = isFull(snapshot) ? null : outlookOf(queue, snapshot, able, slots);
    return {
      severity: queue.rates?.isGrowing === true ? 'critical' : 'warning',
      headline: areAllBusy
        ? `Overloaded: ${formatCount(slots)} slots, all busy`
        : `Overloaded: ${formatCount(busy)} of ${formatCount(slots)} slots busy`,
      sentence: `${jobsWait(queue)} in ${queueName(queue)} and ${areAllBusy ? 'all' : `${formatCount(busy)} of the`} ${formatCount(slots)} slots of its ${formatCount(able.length)} ${able.length === 1 ? 'worker' : 'workers'} are busy and finishing: ${formatRate(queue.rates?.arrivalsPerSecond ?? 0)} arrive, ${formatRate(queue.rates?.departuresPerSecond ?? 0)} leave, and it ${drain}.${cause}${work.words} What to do: ${advice}.${outlook?.why ?? ''}`,
      evidence: [...flowEvidence(queue, snapshot), fact('slots', 'slots', slots, 'count')],
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
      label: `Drain within ${within}`,
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
      label: `Concurrency × ${TIMES}`,
      effect: `${formatCount(slots)} → ${formatCount(deployed * TIMES)} slots${plan ? `: ${drainedIn(plan)}` : ''}.`,
      queues: [queue.id],
      args: { factor: TIMES },
      suffices: doesDrain(plan),
    });
  }
  const why = planned && 'why' in planned ? planned.why : null;
  return { remedies: offered, why: why === null ? '' : ` Not within ${within} by slots: ${why}` };
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

/** "drained in about 4 min (3 min to 6 min)", or why not. */
function drainedIn(plan: Plan): string {
  if (plan.drainSeconds === null) return `still not enough, ${lowerFirst(plan.reason).replace(/\.$/, '')}`;
  if (plan.notKnown !== null) return `when it is drained is not known: ${plan.notKnown}`;
  return `drained in about ${formatDuration(plan.drainSeconds)}${rangeWords(plan)}`;
}
