import type { FC } from 'hono/jsx';
import { formatBytes, formatDuration, formatRate } from '../server/model/format.js';
import type { BacklogAt, Bottleneck, MemoryAt, Plan, PlanInput } from '../server/model/plan.js';
import { Curve } from './drawn/curve.js';

export interface ForecastProps {
  readonly now: Plan;
  /** null: nothing is changed, or what is typed can't be. */
  readonly after: Plan | null;
  /** Over the same time, from now on. */
  readonly curves: { readonly now: readonly BacklogAt[]; readonly after: readonly BacklogAt[] | null };
  /** null: not known. */
  readonly memory: PlanInput['memory'];
  /** When it is drained, or at the end of what is forecast; null: not known. */
  readonly memoryThen: MemoryAt | null;
  /** How good forecasts have been; empty before any was held against what happened. */
  readonly score: string;
  readonly nowMs: number;
}

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

/**
 * What the numbers being typed would bring, redrawn while a slider moves. Its height is the same whatever it says, so that
 * nothing below moves away from under a finger.
 */
export const ActionForecast: FC<ForecastProps> = (forecast) => {
  const { now, after, score } = forecast;
  const shown = after ?? now;
  return (
    <section
      id="action-forecast"
      class="forecast"
      aria-label="Forecast"
      hx-get="/action/forecast"
      hx-include="#action-fields, #action-form > input[type=hidden]"
      hx-trigger="input delay:150ms from:#action-fields"
      hx-target="this"
      hx-swap="outerMorph"
      hx-sync="this:replace"
    >
      <dl class="forecast-figures">
        <Figure
          label="Drained in"
          now={drained(now)}
          after={after && drained(after)}
          range={drainRange(shown)}
        />
        <Figure
          label="Throughput"
          now={formatRate(now.throughputPerSecond)}
          after={after && formatRate(after.throughputPerSecond)}
          range={throughputRange(shown)}
        />
      </dl>
      <p class="forecast-limits">Limited by {LIMITED_BY[shown.bottleneck]}.</p>
      <DrainCurve {...forecast} />
      <p class="forecast-memory">{memoryWords(forecast)}</p>
      <p class="forecast-score hint">{score}</p>
    </section>
  );
};

const Figure: FC<{
  readonly label: string;
  readonly now: string;
  readonly after: string | null;
  readonly range: string;
}> = ({ label, now, after, range }) => (
  <div>
    <dt>{label}</dt>
    <dd>
      <span class="forecast-now">{now}</span>
      {after === null ? null : (
        <>
          <span class="visually-hidden"> becomes </span>
          <span class="forecast-after">{after}</span>
        </>
      )}
      <span class="forecast-range">{range}</span>
    </dd>
  </div>
);

/** What waits from now on, with its range; dotted what would wait if nothing were set. */
const DrainCurve: FC<ForecastProps> = ({ curves, nowMs }) => {
  const shown = curves.after ?? curves.now;
  const seconds = shown.at(-1)?.atSeconds ?? 0;
  const atMs = (point: BacklogAt): number => nowMs + point.atSeconds * 1000;
  const lineOf = (points: readonly BacklogAt[]) =>
    points.map((point) => ({ atMs: atMs(point), value: point.jobs }));
  return (
    <figure class="forecast-chart">
      <figcaption>Waiting jobs{curves.after ? '; dotted: as it is now' : ''}</figcaption>
      <Curve
        title="Waiting jobs, forecast"
        unit="jobs"
        size="small"
        points={lineOf(shown)}
        span={{ fromMs: nowMs, toMs: nowMs + seconds * 1000 }}
        forecast={{ points: shown.map((point) => ({ ...point, atMs: atMs(point) })), reaches: 'drained' }}
        {...(curves.after ? { otherwise: lineOf(curves.now) } : {})}
      />
      <p class="forecast-axis" aria-hidden="true">
        <span>now</span>
        <span>in {formatDuration(seconds)}</span>
      </p>
    </figure>
  );
};

function drained({ drainSeconds, notKnown }: Plan): string {
  if (notKnown !== null) return 'not known';
  if (drainSeconds === null) return 'never';
  return drainSeconds === 0 ? 'at once' : formatDuration(drainSeconds);
}

function drainRange({ drainRange: [low, high] }: Plan): string {
  if (low === null || high === 0) return '';
  return `${formatDuration(low)} to ${high === null ? 'never' : formatDuration(high)}`;
}

function throughputRange({ throughputRange: [low, high] }: Plan): string {
  return high > 0 ? `${formatRate(low)} to ${formatRate(high)}` : '';
}

/** "Redis memory: 43 MB of 64 MB, about 12 MB when drained" */
function memoryWords({ memory, memoryThen, now, after }: ForecastProps): string {
  if (!memory || !memoryThen) return 'Redis memory is not forecast here.';
  const of = memory.limitBytes === null ? '' : ` of ${formatBytes(memory.limitBytes)}`;
  const when =
    (after ?? now).drainSeconds === null ? `in ${formatDuration(memoryThen.atSeconds)}` : 'when drained';
  return `Redis memory: ${formatBytes(memory.countedBytes)}${of}, about ${formatBytes(memoryThen.bytes)} ${when}`;
}
