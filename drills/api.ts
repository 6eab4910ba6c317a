import type { z } from '@hono/zod-openapi';
import type { TenantShare } from '../server/model/job-type.js';
import type { Role } from '../server/model/role.js';
import type { KeptRuleSchema } from '../server/routes/api/alert-rules.js';
import type { AlertSchema } from '../server/routes/api/alerts.js';
import type { FindingSchema } from '../server/routes/api/findings.js';
import type { OutcomesSchema } from '../server/routes/api/outcomes.js';
import type { InstanceSchema, OverviewSchema } from '../server/routes/api/overview.js';
import type { ParkingSchema } from '../server/routes/api/parking-schemas.js';
import type { QueuePlanSchema } from '../server/routes/api/plan.js';
import type { ReplayBodySchema, ReplaySchema } from '../server/routes/api/replay-schemas.js';
import type { FleetSummarySchema, WorkerSchema } from '../server/routes/api/worker-schemas.js';
import type { Activity } from './activity.js';

export type ApiPlan = z.infer<typeof QueuePlanSchema>;
export type ApiAlert = z.infer<typeof AlertSchema>;
export type ApiAlertRule = z.infer<typeof KeptRuleSchema>;
export type ApiFinding = z.infer<typeof FindingSchema>;
export type ApiInstance = z.infer<typeof InstanceSchema>;
export type ApiWorker = z.infer<typeof WorkerSchema>;
export interface ApiWorkers {
  readonly hearing: 'off' | 'hearing' | 'deaf';
  readonly summary: z.infer<typeof FleetSummarySchema>;
  readonly workers: readonly ApiWorker[];
}
export interface ApiTimelineEntry {
  readonly at: string;
  readonly kind: string;
  readonly text: string;
}
export interface ApiMarker {
  readonly at: string;
  readonly text: string;
}
export interface ApiQueue {
  readonly tenants: readonly TenantShare[] | null;
}
export type ApiOutcomes = z.infer<typeof OutcomesSchema>;
export type ApiReplay = z.infer<typeof ReplaySchema>;
export type ApiReplayRequest = z.input<typeof ReplayBodySchema>;
export type ApiParking = z.infer<typeof ParkingSchema>;
export type ApiOverview = z.infer<typeof OverviewSchema>;

/** The console's public JSON API, as automation would call it. */
export interface Api {
  overview(): Promise<ApiOverview>;
  findings(): Promise<readonly ApiFinding[]>;
  /** Those that are pending or fire, or that are over, newest first. */
  alerts(which: 'open' | 'resolved'): Promise<readonly ApiAlert[]>;
  alertRules(): Promise<readonly ApiAlertRule[]>;
  /** One queue, by name or id. */
  queue(name: string): Promise<ApiQueue>;
  workers(query?: string): Promise<ApiWorkers>;
  /** What a change would do to a queue; `query` as of GET …/plan. */
  plan(queueId: string, query: string): Promise<ApiPlan>;
  timeline(): Promise<readonly ApiTimelineEntry[]>;
  /** Enters a marker. */
  mark(marker: { readonly text: string; readonly queue?: string }): Promise<ApiMarker>;
  /** PATCH of a path below /api/v1. */
  patch(path: string, body: unknown): Promise<ApiOutcomes>;
  /** POST to a path below /api/v1. */
  post(path: string, body: unknown): Promise<ApiOutcomes>;
  /** Begins a replay. */
  replay(request: ApiReplayRequest): Promise<ApiReplay>;
  /** Newest first. */
  replays(): Promise<readonly ApiReplay[]>;
  /** One order to all replays under way of the queues that match; those that it reached. */
  orderReplays(
    match: string,
    order: { readonly state?: ApiReplay['state']; readonly ratePerSecond?: number; readonly reason: string },
  ): Promise<readonly ApiReplay[]>;
  /** Newest first. */
  parkings(): Promise<readonly ApiParking[]>;
  /** Ids of the jobs that are on disk for a parking now. */
  parkedIds(parking: string): Promise<readonly string[]>;
  /** The same for somebody of another role; where no tokens are configured everybody is admin. */
  as(role: Role): Api;
}

/**
 * @param tokens where the console wants them; calls are made as admin, or as who is named by `as`.
 * @throws Error with the problem that the console answered, for any answer but 2xx.
 */
export function createApi(address: string, tokens?: Tokens, role: Role = 'admin'): Api {
  const authorization = tokens ? { authorization: `Bearer ${tokens[role]}` } : {};
  const ask = async (method: string, path: string, body?: unknown): Promise<string> => {
    const response = await fetch(`${address}/api/v1${path}`, {
      method,
      headers: { ...authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer.slice(0, 500)}`);
    return answer;
  };
  const get = async <Body>(path: string): Promise<Body> => JSON.parse(await ask('GET', path)) as Body;
  const send = async <Body>(method: string, path: string, body: unknown): Promise<Body> =>
    JSON.parse(await ask(method, path, body)) as Body;
  const queuePath = (queue: string): string => `/instances/default/queues/${encodeURIComponent(queue)}`;
  return {
    overview: () => get('/overview'),
    findings: async () => (await get<{ findings: ApiFinding[] }>('/findings')).findings,
    async alerts(which) {
      const state = which === 'open' ? '' : '&state=resolved';
      return (await get<{ alerts: ApiAlert[] }>(`/alerts?limit=500${state}`)).alerts;
    },
    alertRules: async () => (await get<{ rules: ApiAlertRule[] }>('/alert-rules')).rules,
    queue: (name) => get(queuePath(name)),
    workers: (query = '') => get(`/instances/default/workers?limit=500${query}`),
    plan: (queueId, query) => get(`${queuePath(queueId)}/plan?${query}`),
    timeline: async () => (await get<{ entries: ApiTimelineEntry[] }>('/timeline')).entries,
    mark: (marker) => send('POST', '/markers', { kind: 'deploy', ...marker }),
    patch: (path, body) => send('PATCH', path, body),
    post: (path, body) => send('POST', path, body),
    replay: (request) => send('POST', '/replays', request),
    replays: async () => (await get<{ replays: ApiReplay[] }>('/replays')).replays,
    async orderReplays(match, order) {
      const path = `/replays?match=${encodeURIComponent(match)}`;
      return (await send<{ replays: ApiReplay[] }>('PATCH', path, order)).replays;
    },
    parkings: async () => (await get<{ parkings: ApiParking[] }>('/parkings?limit=500')).parkings,
    async parkedIds(parking) {
      // A line for each, behind one that says what it is.
      const [, ...lines] = (await ask('GET', `/parkings/${parking}.ndjson`)).trimEnd().split('\n');
      return lines.map((line) => (JSON.parse(line) as { id: string }).id);
    },
    as: (other) => createApi(address, tokens, other),
  };
}

/** The token of each role, as they are sent. */
export type Tokens = Readonly<Record<Role, string>>;

/** On a machine shared with the world itself a forecast may be off by so much. */
const MAX_ERROR_RATIO = 0.35;
/** Times are looked at a few times a second. */
const SLACK_SECONDS = 1;

/** Holds what was forecast of an order against the time that it took, and says both. */
export function checkForecast(activity: Activity, what: string, plan: ApiPlan, tookSeconds: number): void {
  const after = plan.after ?? plan.current;
  const { drainSeconds, drainRange, bottleneck } = after;
  const error =
    drainSeconds === null ? Number.POSITIVE_INFINITY : Math.abs(drainSeconds - tookSeconds) / tookSeconds;
  const isInside =
    drainRange.low !== null &&
    tookSeconds >= drainRange.low - SLACK_SECONDS &&
    (drainRange.high === null || tookSeconds <= drainRange.high + SLACK_SECONDS);
  activity.check(
    `${what} drains as was forecast`,
    isInside || error <= MAX_ERROR_RATIO,
    `forecast ${said(drainSeconds)} (${said(drainRange.low)} to ${said(drainRange.high)}, by ${bottleneck}), took ${said(tookSeconds)}: off by ${(error * 100).toFixed(0)}%; ${after.reason}${plan.assumed.length > 0 ? `; ${plan.assumed.join(' ')}` : ''}`,
  );
}

function said(seconds: number | null): string {
  return seconds === null ? 'never' : `${seconds.toFixed(1)} s`;
}
