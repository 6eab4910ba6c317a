import type { ChartProps } from '../../../views/chart.js';
import { queuePath } from '../../../views/links.js';
import { backlogCurve } from '../../forecast/drain-curve.js';
import { planBasisOf } from '../../forecast/plan-basis.js';
import { formatCount, formatRate } from '../../model/format.js';
import type { BacklogAt } from '../../model/plan.js';
import type { QueueState, Snapshot } from '../../model/snapshot.js';

/** The charts of a queue's page. */
export function queueChartsOf(queue: QueueState, instance: string): readonly ChartProps[] {
  const { rates, counts } = queue;
  const asked = {
    href: `${queuePath(instance, queue.id)}/series.json`,
    history: String(new URLSearchParams({ instance, queue: queue.id })),
    limit: null,
  };
  return [
    {
      ...asked,
      id: 'chart-depth',
      title: 'Backlog',
      text: `${formatCount(queue.backlog)} waiting, ${formatCount(counts.active)} active, ${formatCount(counts.failed)} failed`,
      unit: 'jobs',
      lines: [
        { label: 'waiting', key: 'backlog', signal: 'queue_backlog_jobs', colour: 'one' },
        { label: 'active', key: 'active', signal: 'queue_active_jobs', colour: 'two' },
        { label: 'failed', key: 'failed', signal: 'queue_failed_jobs', colour: 'limit' },
      ],
      forecastOf: 'backlog',
    },
    {
      ...asked,
      id: 'chart-rates',
      title: 'Rates',
      text: rates
        ? `${formatRate(rates.arrivalsPerSecond)} added, ${formatRate(rates.departuresPerSecond)} processed`
        : 'not measured yet',
      unit: 'perSecond',
      lines: [
        { label: 'added', key: 'arrivalsPerSecond', signal: 'queue_arrivals_per_second', colour: 'two' },
        {
          label: 'processed',
          key: 'departuresPerSecond',
          signal: 'queue_departures_per_second',
          colour: 'one',
        },
      ],
    },
  ];
}

/** So far ahead the chart of the last 15 minutes shows where the backlog may go. */
const AHEAD_SECONDS = 300;

/** Where a backlog goes if nothing is done; null: it is not known well enough to be drawn. */
export function backlogForecast(
  snapshot: Snapshot,
  queueId: string,
): readonly (Omit<BacklogAt, 'atSeconds'> & { readonly atMs: number })[] | null {
  const basis = planBasisOf(snapshot, queueId);
  if (!basis || basis.queue.rates === null) return null;
  return backlogCurve(basis.input, {}, AHEAD_SECONDS).map(({ atSeconds, jobs, low, high }) => ({
    atMs: Math.round(snapshot.atMs + atSeconds * 1000),
    jobs: Math.round(jobs),
    low: Math.round(low),
    high: Math.round(high),
  }));
}
