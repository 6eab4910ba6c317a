import type { z } from '@hono/zod-openapi';
import type { TenantShare } from '../server/model/job-type.js';
import type { Role } from '../server/model/role.js';
import type { KeptRuleSchema } from '../server/routes/api/alert-rules.js';
import type { AlertSchema } from '../server/routes/api/alerts.js';
import type { FindingSchema } from '../server/routes/api/findings.js';
import type { OutcomesSchema } from '../server/routes/api/outcomes.js';
import type { ParkingAnswerSchema } from '../server/routes/api/parkings.js';
import type { QueuePlanSchema } from '../server/routes/api/plan.js';
import type { ReplayBodySchema, ReplaySchema } from '../server/routes/api/replays.js';
import type { FleetSummarySchema, WorkerSchema } from '../server/routes/api/worker-schemas.js';
import type { DrillActivity } from './activity.js';
import { waitFor } from './wait-for.js';

export type ApiPlan = z.infer<typeof QueuePlanSchema>;
export type ApiAlert = z.infer<typeof AlertSchema>;
type ApiAlertRule = z.infer<typeof KeptRuleSchema>;
export type ApiFinding = z.infer<typeof FindingSchema>;
export type ApiWorker = z.infer<typeof WorkerSchema>;
interface ApiWorkers {
  readonly hearing: 'off' | 'hearing' | 'deaf';
  readonly summary: z.infer<typeof FleetSummarySchema>;
  readonly workers: readonly ApiWorker[];
}
interface ApiTimelineEntry {
  readonly at: string;
  readonly kind: string;
  readonly text: string;
}
export type ApiOutcomes = z.infer<typeof OutcomesSchema>;
export type ApiReplay = z.infer<typeof ReplaySchema>;
export type ApiParking = z.infer<typeof ParkingAnswerSchema>;

/** The token of each role, as they are sent. */
export type Tokens = Readonly<Record<Role, string>>;

/** The console's public JSON API, as automation would call it. @throws Error with the problem answered, for any answer but 2xx. */
export class Api {
  readonly #address: string;
  readonly #tokens: Tokens | undefined;
  readonly #role: Role;

  /** @param tokens where the console wants them; calls are made as admin, or as who is named by `as`. */
  constructor(address: string, tokens?: Tokens, role: Role = 'admin') {
    this.#address = address;
    this.#tokens = tokens;
    this.#role = role;
  }

  /** The same for somebody of another role; where no tokens are configured everybody is admin. */
  as(role: Role): Api {
    return new Api(this.#address, this.#tokens, role);
  }

  async findings(): Promise<readonly ApiFinding[]> {
    return (await this.#get<{ findings: ApiFinding[] }>('/findings')).findings;
  }

  /** Those that are pending or fire, or that are over, newest first. */
  async alerts(which: 'open' | 'resolved'): Promise<readonly ApiAlert[]> {
    const state = which === 'open' ? '' : '&state=resolved';
    return (await this.#get<{ alerts: ApiAlert[] }>(`/alerts?limit=500${state}`)).alerts;
  }

  async alertRules(): Promise<readonly ApiAlertRule[]> {
    return (await this.#get<{ rules: ApiAlertRule[] }>('/alert-rules')).rules;
  }

  /** Who holds how much of a queue, by its name or id; null: not known, or not to be seen. */
  async tenants(queue: string): Promise<readonly TenantShare[] | null> {
    return (await this.#get<{ tenants: readonly TenantShare[] | null }>(pathOf(queue))).tenants;
  }

  workers(): Promise<ApiWorkers> {
    return this.#get('/instances/default/workers?limit=500');
  }

  /** A worker by its name, once it is listed. */
  async worker(name: string): Promise<ApiWorker | undefined> {
    return (await this.workers()).workers.find((worker) => worker.name === name);
  }

  /** What a change would do to a queue; `query` as of GET …/plan. */
  plan(queue: string, query: string): Promise<ApiPlan> {
    return this.#get(`${pathOf(queue)}/plan?${query}`);
  }

  async timeline(): Promise<readonly ApiTimelineEntry[]> {
    return (await this.#get<{ entries: ApiTimelineEntry[] }>('/timeline')).entries;
  }

  /** Enters a marker. */
  mark(marker: { readonly text: string; readonly queue?: string }): Promise<unknown> {
    return this.#send('POST', '/markers', { kind: 'deploy', ...marker });
  }

  /** PATCH of a path below /api/v1. */
  patch(path: string, body: object): Promise<ApiOutcomes> {
    return this.#send('PATCH', path, body);
  }

  /** POST to a path below /api/v1. */
  post(path: string, body: object): Promise<ApiOutcomes> {
    return this.#send('POST', path, body);
  }

  /** Changes the workers of a queue: `concurrency`, `revert`, … */
  changeWorkers(queue: string, change: object): Promise<ApiOutcomes> {
    return this.patch(`${pathOf(`bull:${queue}`)}/workers`, change);
  }

  /** Begins a replay. */
  replay(request: z.input<typeof ReplayBodySchema>): Promise<ApiReplay> {
    return this.#send('POST', '/replays', request);
  }

  /** Newest first. */
  async replays(): Promise<readonly ApiReplay[]> {
    return (await this.#get<{ replays: ApiReplay[] }>('/replays')).replays;
  }

  /** One order to all replays under way; those that it reached. */
  async orderReplays(order: {
    readonly state: ApiReplay['state'];
    readonly ratePerSecond?: number;
    readonly reason: string;
  }): Promise<readonly ApiReplay[]> {
    return (await this.#send<{ replays: ApiReplay[] }>('PATCH', '/replays?match=*', order)).replays;
  }

  /** Newest first. */
  async parkings(): Promise<readonly ApiParking[]> {
    return (await this.#get<{ parkings: ApiParking[] }>('/parkings?limit=500')).parkings;
  }

  /** Ids of the jobs that are on disk for a parking now. */
  async parkedIds(parking: string): Promise<readonly string[]> {
    // A line for each, behind one that says what it is.
    const [, ...lines] = (await this.#ask('GET', `/parkings/${parking}.ndjson`)).trimEnd().split('\n');
    return lines.map((line) => (JSON.parse(line) as { id: string }).id);
  }

  async #get<Body>(path: string): Promise<Body> {
    return JSON.parse(await this.#ask('GET', path));
  }

  async #send<Body>(method: string, path: string, body: object): Promise<Body> {
    return JSON.parse(await this.#ask(method, path, body));
  }

  async #ask(method: string, path: string, body?: object): Promise<string> {
    const response = await fetch(`${this.#address}/api/v1${path}`, {
      method,
      headers: {
        ...(this.#tokens ? { authorization: `Bearer ${this.#tokens[this.#role]}` } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer.slice(0, 500)}`);
    return answer;
  }
}

function pathOf(queue: string): string {
  return `/instances/default/queues/${encodeURIComponent(queue)}`;
}

/** Waits until a finding is it. @returns the first that is, and all of that moment */
export async function untilFound(api: Api, isIt: (finding: ApiFinding) => boolean, withinMs: number) {
  let findings: readonly ApiFinding[] = [];
  await waitFor(async () => {
    findings = await api.findings();
    return findings.some(isIt);
  }, withinMs);
  return { finding: findings.find(isIt), findings };
}

/** All that a finding says. */
export function textOf({ headline, cause, effect, action, detail, evidence }: ApiFinding): string {
  return [
    headline,
    cause,
    effect,
    action,
    detail,
    ...evidence.map(({ label, value }) => `${label}: ${value}`),
  ].join(' | ');
}

/** Of a finding's evidence, by its stable name. */
export function evidenceNamed({ evidence }: ApiFinding, name: string): string | number | undefined {
  return evidence.find((piece) => piece.name === name)?.value;
}

/** Findings by their codes, in words. */
export function codesOf(findings: readonly ApiFinding[]): string {
  return `none in ${findings.map(({ code, queue }) => `${code} ${queue ?? ''}`).join(', ') || 'no findings'}`;
}

/** The newest replay of a queue. @throws Error when there is none */
export async function replayOf(api: Api, queue: string): Promise<ApiReplay> {
  const found = (await api.replays()).find(({ queues }) => queues.includes(`bull:${queue}`));
  if (!found) throw new Error(`the console lists no replay of ${queue}`);
  return found;
}

export function accountInWords({ account: of }: ApiReplay): string {
  return `${of.matched} = ${of.moved} + ${of.skipped} + ${of.remaining}; ${of.moved} = ${of.succeeded} succeeded + ${of.failedAgain} failed again + ${of.gone} gone + ${of.toRun} to run`;
}

/** On a machine shared with the world itself a forecast may be off by so much. */
const MAX_ERROR_RATIO = 0.35;
/** Times are looked at a few times a second. */
const SLACK_SECONDS = 1;

/** Holds what was forecast of an order against the time that it took, and says both. */
export function checkForecast(
  activity: DrillActivity,
  what: string,
  plan: ApiPlan,
  tookSeconds: number,
): void {
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
