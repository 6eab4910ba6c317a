/** One panel of the dashboard: a row begins with `row`, whose panels follow. */
export type DashboardItem = { readonly row: string } | DashboardPanel;

export interface DashboardPanel {
  readonly title: string;
  /** For whoever hovers over the title. */
  readonly about?: string;
  readonly kind?: 'timeseries' | 'stat' | 'table';
  /** Of 24 columns. */
  readonly width: number;
  /** Unit as Grafana calls it. */
  readonly unit: string;
  readonly queries: readonly (readonly [legend: string, expression: string])[];
  /** From here on it is drawn as bad. */
  readonly warnFrom?: number;
  readonly criticalFrom?: number;
}

const REDIS = '{redis=~"$redis"}';
const QUEUE = '{redis=~"$redis",queue=~"$queue"}';
/** Queues drawn in one panel: more can't be told apart. */
const top = (metric: string): string => `topk(10, ${metric}${QUEUE})`;

/** What is on the dashboard, from top to bottom: what is wrong, memory and its forecast, backlog, rates, workers. */
export const DASHBOARD_ITEMS: readonly DashboardItem[] = [
  { row: 'What is wrong' },
  {
    title: 'Findings',
    kind: 'stat',
    width: 6,
    unit: 'none',
    queries: [['{{severity}}', `sum by (severity) (spillway_findings${REDIS})`]],
    warnFrom: 1,
  },
  {
    title: 'Redis reachable',
    kind: 'stat',
    width: 6,
    unit: 'bool_yes_no',
    queries: [['{{redis}}', `spillway_redis_up${REDIS}`]],
  },
  {
    title: 'Full in',
    about: 'At the present growth; empty while memory does not grow.',
    kind: 'stat',
    width: 6,
    unit: 's',
    queries: [['{{redis}} {{node}}', `spillway_redis_full_in_seconds${REDIS}`]],
  },
  {
    title: 'Memory against the limit',
    kind: 'stat',
    width: 6,
    unit: 'percentunit',
    queries: [['{{redis}} {{node}}', `spillway_redis_used_ratio${REDIS}`]],
    warnFrom: 0.8,
    criticalFrom: 0.95,
  },
  {
    title: 'Findings by code',
    about: 'What the console finds wrong, as it counts them.',
    width: 24,
    unit: 'none',
    queries: [['{{severity}} {{code}}', `sum by (code, severity) (spillway_findings${REDIS})`]],
  },
  { row: 'Memory and forecast' },
  {
    title: 'Memory and limit',
    width: 12,
    unit: 'bytes',
    queries: [
      ['counted {{node}}', `spillway_redis_counted_bytes${REDIS}`],
      ['limit {{node}}', `spillway_redis_limit_bytes${REDIS}`],
    ],
  },
  {
    title: 'Growth',
    width: 6,
    unit: 'Bps',
    queries: [['{{redis}} {{node}}', `spillway_redis_growth_bytes_per_second${REDIS}`]],
  },
  {
    title: 'Writes refused and keys evicted',
    width: 6,
    unit: 'ops',
    queries: [
      ['refused {{node}}', `spillway_redis_refused_commands_per_second${REDIS}`],
      ['evicted {{node}}', `spillway_redis_evicted_keys_per_second${REDIS}`],
    ],
  },
  {
    title: 'Memory by queue',
    width: 24,
    unit: 'bytes',
    queries: [['{{queue}}', top('spillway_queue_memory_bytes')]],
  },
  { row: 'Backlog' },
  { title: 'Backlog', width: 12, unit: 'none', queries: [['{{queue}}', top('spillway_queue_backlog_jobs')]] },
  {
    title: 'Oldest waiting job',
    width: 12,
    unit: 's',
    queries: [['{{queue}}', top('spillway_queue_oldest_waiting_seconds')]],
  },
  {
    title: 'Drained in',
    about: 'At present rates; none is drawn for a backlog that does not drain.',
    width: 12,
    unit: 's',
    queries: [['{{queue}}', `topk(10, spillway_queue_drain_seconds${QUEUE} < +Inf)`]],
  },
  {
    title: 'Failed jobs kept',
    width: 12,
    unit: 'none',
    queries: [['{{queue}}', top('spillway_queue_failed_jobs')]],
  },
  { row: 'Rates' },
  {
    title: 'Arrivals and departures',
    width: 24,
    unit: 'cps',
    queries: [
      ['arrivals {{redis}}', `spillway_arrivals_per_second${REDIS}`],
      ['departures {{redis}}', `spillway_departures_per_second${REDIS}`],
    ],
  },
  {
    title: 'Arrivals',
    width: 12,
    unit: 'cps',
    queries: [['{{queue}}', top('spillway_queue_arrivals_per_second')]],
  },
  {
    title: 'Departures',
    width: 12,
    unit: 'cps',
    queries: [['{{queue}}', top('spillway_queue_departures_per_second')]],
  },
  { row: 'Workers' },
  {
    title: 'Slots and how many are busy',
    about: 'Of workers with the agent.',
    width: 12,
    unit: 'none',
    queries: [
      ['busy {{queue}}', top('spillway_queue_worker_slots_busy')],
      ['slots {{queue}}', top('spillway_queue_worker_slots')],
    ],
  },
  {
    title: 'Workers, and those in trouble',
    width: 12,
    unit: 'none',
    queries: [
      ['{{queue}}', top('spillway_queue_workers')],
      ['in trouble', `spillway_workers_troubled${REDIS}`],
    ],
  },
  { row: 'The console itself' },
  {
    title: 'Its share of Redis CPU, and its budget',
    width: 12,
    unit: 'percentunit',
    queries: [
      ['share {{redis}}', `spillway_console_redis_cpu_ratio${REDIS}`],
      ['budget {{redis}}', `spillway_console_redis_cpu_budget_ratio${REDIS}`],
    ],
  },
  {
    title: 'Age of what it shows',
    width: 12,
    unit: 's',
    queries: [['{{redis}}', `spillway_console_snapshot_age_seconds${REDIS}`]],
  },
];
