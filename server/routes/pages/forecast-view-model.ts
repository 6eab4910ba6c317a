import type { ForecastChart, ForecastFigure, ForecastProps } from '../../../views/action-forecast.js';
import type { PlanBasis } from '../../forecast/plan-basis.js';
import { memoryThen, scoreWords } from '../../forecast/plan-words.js';
import { predict } from '../../forecast/predict.js';
import type { Score } from '../../forecast/score.js';
import { formatBytes, formatDuration, formatRate } from '../../model/format.js';
import type { Bottleneck, Plan, PlanChange, PlanInput } from '../../model/plan.js';

export interface Foreseen {
  readonly basis: PlanBasis;
  /** null: what is typed can't be, so only the present is told. */
  readonly change: PlanChange | null;
  readonly score: Score;
}

const WIDTH = 300;
const HEIGHT = 70;

const LIMITED_BY: Readonly<Record<Bottleneck, string>> = {
  workers: 'the slots of its workers',
  'rate-limit': 'the rate limit',
  'global-concurrency': 'the global concurrency',
  'batch-wait': 'batches that wait to fill',
  redis: 'Redis’s one core',
  'event-loop': 'the event loops of its workers',
  paused: 'the pause of the queue',
  arrivals: 'what arrives: nothing waits',
  full: 'a full Redis',
};

/** Pure. */
export function forecastOf({ basis, change, score }: Foreseen): ForecastProps {
  const { input } = basis;
  const now = predict(input, {});
  const after = change && predict(input, change);
  const shown = after ?? now;
  return {
    figures: [drained(now, after), leaving(now, after)],
    limits: `Limited by ${LIMITED_BY[shown.bottleneck]}.`,
    chart: chartOf(shown, input),
    score: scoreWords(score) ?? '',
  };
}

function drained(now: Plan, after: Plan | null): ForecastFigure {
  const time = ({ drainSeconds, notKnown }: Plan): string =>
    notKnown !== null
      ? 'not known'
      : drainSeconds === null
        ? 'never'
        : drainSeconds === 0
          ? 'at once'
          : formatDuration(drainSeconds);
  const [low, high] = (after ?? now).drainRange;
  const range =
    low === null || high === 0
      ? ''
      : `${formatDuration(low)} to ${high === null ? 'never' : formatDuration(high)}`;
  return { label: 'Drained in', now: time(now), after: after ? time(after) : '', range };
}

function leaving(now: Plan, after: Plan | null): ForecastFigure {
  const [low, high] = (after ?? now).throughputRange;
  return {
    label: 'Leave',
    now: formatRate(now.throughputPerSecond),
    after: after ? formatRate(after.throughputPerSecond) : '',
    range: high > 0 ? `${formatRate(low)} to ${formatRate(high)}` : '',
  };
}

function chartOf(plan: Plan, { memory }: PlanInput): ForecastChart | null {
  const { memory: points } = plan;
  const last = points[points.length - 1];
  if (!memory || !last || !(last.atSeconds > 0)) return null;
  const most = Math.max(1, ...points.map(({ highBytes }) => highBytes));
  const limit = memory.limitBytes;
  // The limit is always in sight: 56 of 512 MB must not look full.
  const top = Math.max(most, limit ?? 0) * 1.08;
  const x = (seconds: number): string => ((WIDTH * seconds) / last.atSeconds).toFixed(1);
  const y = (bytes: number): string => (HEIGHT * (1 - bytes / top)).toFixed(1);
  const there = points.map((point) => `${x(point.atSeconds)},${y(point.highBytes)}`);
  const back = points.toReversed().map((point) => `${x(point.atSeconds)},${y(point.lowBytes)}`);
  const then = memoryThen(plan);
  const when = plan.drainSeconds === null ? formatDuration(last.atSeconds) : 'drained';
  return {
    band: [...there, ...back].join(' '),
    line: points.map((point) => `${x(point.atSeconds)},${y(point.bytes)}`).join(' '),
    limitY: limit === null ? null : Number(y(limit)),
    scale: limit === null ? `${formatBytes(top)} at the top` : `dashed: the limit, ${formatBytes(limit)}`,
    text: `Redis memory: ${formatBytes(memory.countedBytes)} now, about ${formatBytes(then?.bytes ?? 0)} ${plan.drainSeconds === null ? `in ${when}` : 'when it is drained'}${limit === null ? '' : `, limit ${formatBytes(limit)}`}.`,
    top: `${formatBytes(memory.countedBytes)} → ${formatBytes(then?.bytes ?? 0)}${limit === null ? '' : ` of ${formatBytes(limit)}`}`,
    end: `in ${formatDuration(last.atSeconds)}`,
  };
}
