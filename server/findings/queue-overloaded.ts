import { drainWith, slotsToDrain } from '../model/capacity.js';
import { formatCount, formatDuration, formatRate } from '../model/format.js';
import { judgeQueueWorkers } from '../model/judge-fleet.js';
import type { WorkerJudgement } from '../model/worker-verdict.js';
import type { QueueState } from '../watch/snapshot.js';
import type { FindingRule, Remedy } from './finding.js';
import { mainWork } from './main-work.js';
import { flowEvidence, forVerdict } from './queue-evidence.js';
import { isFull } from './verdict.js';
import { jobsWait, magnitude, queueName } from './words.js';

const DRAIN_WITHIN_SECONDS = 300;
const TIMES = 2;
/** An event loop that is later than this gains nothing by more slots in the same process. */
const SATURATED_MS = 200;

export const queueOverloaded: FindingRule = {
  code: 'queue.overloaded',
  about: 'All slots of its workers are busy and finishing, and more arrives than they can do.',
  detect: forVerdict(['overloaded'], (queue, snapshot, nowMs) => {
    const workers = judgeQueueWorkers(snapshot, queue.id, nowMs);
    const able = workers.filter(({ worker, verdict }) => worker.agent !== null && verdict !== 'crashed');
    const slots = able.reduce((sum, { worker }) => sum + (worker.agent?.concurrency.now ?? 0), 0);
    const crashed = workers.filter(({ verdict }) => verdict === 'crashed').length;
    const cause =
      crashed > 0
        ? ` ${crashed === 1 ? '1 of its workers has' : `${crashed} of its workers have`} crashed, which is why.`
        : '';
    const work = mainWork(queue);
    const drain =
      queue.drainSeconds !== null && Number.isFinite(queue.drainSeconds)
        ? `needs ${formatDuration(queue.drainSeconds)} to drain`
        : 'never drains at these rates';
    const late = able.filter(({ worker }) => (worker.agent?.loopDelayP99Ms ?? 0) > SATURATED_MS).length;
    const advice = isFull(snapshot)
      ? 'Redis is full, so make room before you scale anything'
      : late * 2 > able.length
        ? 'their event loops are saturated, so start more processes'
        : 'raise their concurrency if what they call can bear it, or start more';
    return {
      severity: queue.rates?.isGrowing === true ? 'critical' : 'warning',
      title: `Overloaded: ${formatCount(slots)} slots, all busy`,
      sentence: `${jobsWait(queue)} in ${queueName(queue)} and all ${formatCount(slots)} slots of its ${formatCount(able.length)} ${able.length === 1 ? 'worker' : 'workers'} are busy and finishing: ${formatRate(queue.rates?.arrivalsPerSecond ?? 0)} arrive, ${formatRate(queue.rates?.departuresPerSecond ?? 0)} leave, and it ${drain}.${cause}${work.words} What to do: ${advice}.`,
      evidence: [...flowEvidence(queue, nowMs), { label: 'slots', value: slots, unit: 'count' }],
      remedies: isFull(snapshot) ? [] : remedies(queue, able, slots),
      rank: 520 + magnitude(queue.backlog),
      accountsFor: work.accountsFor,
    };
  }),
};

function remedies(queue: QueueState, able: readonly WorkerJudgement[], slots: number): readonly Remedy[] {
  const arrivals = queue.rates?.arrivalsPerSecond ?? 0;
  const needed = slotsToDrain({
    backlog: queue.backlog,
    arrivalsPerSecond: arrivals,
    withinSeconds: DRAIN_WITHIN_SECONDS,
    workers: able.map(({ worker }) => worker),
  });
  const deployed = able.reduce((sum, { worker }) => sum + (worker.agent?.concurrency.deployed ?? 0), 0);
  const offered: Remedy[] = [];
  if (!('why' in needed) && needed.perWorker * able.length > slots) {
    offered.push({
      lever: 'workers.concurrency',
      label: `Drain within ${formatDuration(DRAIN_WITHIN_SECONDS)}`,
      effect: `${formatCount(slots)} → ${formatCount(needed.perWorker * able.length)} slots (${formatCount(needed.perWorker)} for each of ${formatCount(able.length)}): a job holds a slot for ${formatDuration(needed.secondsPerJob)} now.`,
      queues: [queue.id],
      args: { drainWithinSeconds: DRAIN_WITHIN_SECONDS },
    });
  }
  if (deployed * TIMES > slots) {
    const seconds =
      'why' in needed ? null : drainWith(deployed * TIMES, needed.secondsPerJob, queue.backlog, arrivals);
    offered.push({
      lever: 'workers.concurrency',
      label: `Concurrency × ${TIMES}`,
      effect: `${formatCount(slots)} → ${formatCount(deployed * TIMES)} slots: ${seconds === null ? 'still not enough at these rates' : `drained in about ${formatDuration(seconds)}`}.`,
      queues: [queue.id],
      args: { factor: TIMES },
    });
  }
  return offered;
}
