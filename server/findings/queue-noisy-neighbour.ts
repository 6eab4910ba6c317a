import { briefDuration, briefThings, headlineOf } from '../model/brief.js';
import { fact } from '../model/evidence.js';
import type { FindingRule, FoundNow, Remedy } from '../model/finding.js';
import { formatBytes, formatRate, formatRatio, formatThings } from '../model/format.js';
import { findNoisyNeighbours, type NoisyNeighbour, type Victim } from '../model/noisy-neighbour.js';
import { isFull } from '../model/queue-verdict.js';
import { MAX_RATE } from '../model/rate-limit.js';
import type { Snapshot } from '../model/snapshot.js';
import { dominantTenant } from '../model/tenant-text.js';
import { jobsWait, magnitude, plainName, queueName } from '../model/words.js';

/** A source that is capped goes on at this part of its rate: slow enough to be felt by nobody. */
const CAP_SHARE = 0.1;
const MAX_NAMED = 5;

export const queueNoisyNeighbour: FindingRule = {
  code: 'queue.noisy-neighbour',
  about:
    'One queue takes what others need too (their worker processes, what they call, memory), so that jobs of the others wait.',
  detect: (snapshot) => findNoisyNeighbours(snapshot).map((noisy) => noisyNeighbour(noisy, snapshot)),
};

function noisyNeighbour(noisy: NoisyNeighbour, snapshot: Snapshot): FoundNow {
  const { source, victims } = noisy;
  const worst = victims[0];
  const names = victims.slice(0, MAX_NAMED).map(({ queue }) => queueName(queue));
  const [type] = source.types;
  const name = queueName(source);
  return {
    severity: 'critical',
    queue: source.id,
    headline: headlineOf(name, ` holds up ${briefThings(victims.length, 'other queue')}`),
    cause: `It keeps ${formatRatio(noisy.shareOfSlots)} of busy slots in processes that others share.`,
    effect: worst
      ? `${plainName(worst.type)} jobs of ${queueName(worst.queue)} wait ${inSeconds(worst.waitMs)} instead of ${inSeconds(worst.usualWaitMs)}.`
      : 'Jobs of other queues wait.',
    action: 'Limit or pause it alone, then give it workers of its own.',
    detail: `Held up in ${formatThings(noisy.processes, 'process', 'processes')}: ${listOf(names, victims.length - names.length)}, as ${throughInWords(noisy)}.${type ? ` Most of its jobs are ${plainName(type.name)}.` : ''}`,
    evidence: [
      fact('slot-share', 'of busy slots', noisy.shareOfSlots, 'ratio'),
      fact('backlog', 'its backlog', source.backlog, 'jobs'),
      fact('loop-delay', 'event-loop lag', noisy.loopDelayP99Ms / 1000, 'seconds'),
      ...victims
        .slice(0, MAX_NAMED)
        .map((victim) => fact('victim', `held up: ${queueName(victim.queue)}`, victimInWords(victim))),
      ...(source.memory ? [fact('memory', 'its memory', formatBytes(source.memory.totalBytes))] : []),
    ],
    ...tenantOf(noisy),
    remedies: remedies(noisy, snapshot),
    rank: 640 + magnitude(victims.length),
    accountsFor: victims.map(({ queue }) => ({ queue: queue.id })),
  };
}

function tenantOf({ source, shareOfSlots }: NoisyNeighbour): Pick<FoundNow, 'fromJobData'> {
  const dominant = dominantTenant(source.tenants);
  if (!dominant) return {};
  const name = plainName(dominant.tenant);
  return {
    fromJobData: {
      cause: `It keeps ${formatRatio(shareOfSlots)} of shared slots busy, and ${formatRatio(dominant.shareRatio)} of its jobs are of tenant ${name}.`,
      evidence: [
        fact('tenant', 'tenant', name),
        {
          name: 'tenant-share',
          label: 'of tenant',
          value: dominant.shareRatio,
          error: dominant.error,
          unit: 'ratio',
        },
      ],
    },
  };
}

/** "a", "a and b", "a, b and 3 more". */
function listOf(names: readonly string[], more: number): string {
  const all = more > 0 ? [...names, `${more} more`] : names;
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all[all.length - 1]}`;
}

function throughInWords(noisy: NoisyNeighbour): string {
  if (noisy.through === 'event-loop')
    return `their event loops are late by up to ${inSeconds(noisy.loopDelayP99Ms)}`;
  return 'what they all call takes longer for everybody';
}

function victimInWords({ type, waitMs, usualWaitMs, runMs, usualRunMs }: Victim): string {
  const run =
    runMs === null || usualRunMs === null
      ? ''
      : `, runs ${inSeconds(runMs)} instead of ${inSeconds(usualRunMs)}`;
  return `${plainName(type)} waits ${inSeconds(waitMs)} instead of ${inSeconds(usualWaitMs)}${run}`;
}

function inSeconds(ms: number): string {
  return briefDuration(ms / 1000);
}

function remedies({ source }: NoisyNeighbour, snapshot: Snapshot): readonly Remedy[] {
  const leaving = source.rates?.departuresPerSecond ?? 0;
  const max = Math.min(MAX_RATE, Math.max(1, Math.floor(leaving * CAP_SHARE)));
  const pause: Remedy = {
    action: 'queue.pause',
    label: `Pause ${queueName(source)}`,
    effect: `Its workers take no more until it is resumed; ${jobsWait(source)} and stay.`,
    queues: [source.id],
    args: {},
  };
  // A limiter key is a new key: with a full Redis workers of the source would only make more errors. And what is not seen
  // to move has no rate to cut.
  if (isFull(snapshot) || source.rateLimit !== null || leaving <= 1) return [pause];
  return [
    {
      action: 'queue.rate-limit',
      label: `Limit ${queueName(source)} to ${formatRate(max)}`,
      effect: `It goes on at ${formatRate(max)} instead of ${formatRate(leaving)}, and leaves the rest to the others.`,
      queues: [source.id],
      args: { max, durationMs: 1000 },
    },
    pause,
  ];
}
