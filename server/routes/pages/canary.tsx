import { type Context, Hono } from 'hono';
import { type CanaryFormProps, CanaryPage, type CanaryProps } from '../../../views/canary.js';
import { instancePath, queuePath } from '../../../views/links.js';
import { formatCount } from '../../model/format.js';
import type { CanaryResult } from '../../model/job-view.js';
import { CANARY_TYPE, CanaryRefused } from '../../model/job-view.js';
import { includesRole, type Role } from '../../model/role.js';
import { plainName } from '../../model/words.js';
import { probe, shownReason } from '../api/canary.js';
import { queueIn, snapshotOf } from '../api/env.js';
import type { AppDeps } from '../app-deps.js';
import { type GateEnv, requireRole } from '../gate.js';
import { Problem } from '../problem.js';
import { chromeOf } from './chrome.js';

/** A page that loads for longer looks broken; the API waits longer. */
const PAGE_TIMEOUT_MS = 10_000;

export function canaryRoutes(deps: AppDeps): Hono<GateEnv> {
  const routes = new Hono<GateEnv>();
  routes.post('/i/:instance/q/:queue/canary', requireRole('operator'), (c) => send(deps, c));
  return routes;
}

/** The form on a queue's page; null: this role may not. */
export function canaryFormOf(
  instance: string,
  queueId: string,
  role: Role,
  jobType: string = CANARY_TYPE,
): CanaryFormProps | null {
  if (!includesRole(role, 'operator')) return null;
  const action = `${queuePath(instance, queueId)}/canary`;
  return { action, jobType, withinSeconds: PAGE_TIMEOUT_MS / 1000 };
}

async function send(deps: AppDeps, c: Context<GateEnv>): Promise<Response> {
  const actor = c.get('actor');
  const { instance = '', queue: idOrName = '' } = c.req.param();
  const queue = queueIn(snapshotOf(deps, instance), idOrName);
  const { jobType } = await c.req.parseBody();
  if (typeof jobType !== 'string' || jobType === '' || jobType.length > 200)
    throw new Problem(422, 'invalid-request', 'jobType: must be 1 to 200 characters');
  const outcome = await outcomeOf(deps, c, { instance, queue: queue.id, jobType });
  const again = canaryFormOf(instance, queue.id, actor.role, jobType);
  if (!again) throw new Problem(403, 'forbidden', 'this needs the role operator');
  const title = `Canary through ${plainName(queue.name)}`;
  const frame = {
    actor,
    nowMs: deps.now(),
    current: instancePath(instance),
    subject: title,
    liveUrl: '/live?view=frame',
  };
  const view: CanaryProps = { title, ...outcome, backHref: queuePath(instance, queue.id), again };
  return c.html(<CanaryPage chrome={chromeOf(deps, frame)} view={view} />);
}

type Outcome = Pick<CanaryProps, 'state' | 'verdict' | 'facts' | 'note'>;

async function outcomeOf(
  deps: AppDeps,
  c: Context<GateEnv>,
  {
    instance,
    queue,
    jobType,
  }: { readonly instance: string; readonly queue: string; readonly jobType: string },
): Promise<Outcome> {
  const actor = c.get('actor');
  try {
    const result = await probe(deps, { actor }, { instance, queue }, { jobType, timeoutMs: PAGE_TIMEOUT_MS });
    if (!result) throw new Error('a canary that was asked for is sent');
    const failedReason = shownReason(result, actor.role, deps.jobDataRole);
    return { ...verdictOf(result), facts: factsOf(result), note: noteOf(result, failedReason) };
  } catch (error) {
    if (!(error instanceof CanaryRefused)) throw error;
    return {
      state: 'critical',
      verdict: 'It was not sent',
      facts: [],
      note: `${upperFirst(error.message)}.`,
    };
  }
}

function verdictOf({ stage, totalMs, waitingJobs }: CanaryResult): Pick<Outcome, 'state' | 'verdict'> {
  if (stage === 'completed')
    return { state: 'calm', verdict: `It got through in ${formatCount(totalMs)} ms` };
  if (stage === 'failed')
    return { state: 'warning', verdict: `A worker took it and failed it after ${formatCount(totalMs)} ms` };
  if (stage === 'active')
    return { state: 'warning', verdict: 'A worker has it, and had not ended it when time was up' };
  const behind = Math.max(0, (waitingJobs ?? 1) - 1);
  const why = behind > 0 ? `: ${formatCount(behind)} ${behind === 1 ? 'job waits' : 'jobs wait'} too` : '';
  return { state: 'critical', verdict: `No worker took it in time${why}` };
}

function factsOf({ acceptedAtMs, startedAtMs, finishedAtMs, totalMs }: CanaryResult): Outcome['facts'] {
  const span = (fromMs: number | null, toMs: number | null) =>
    fromMs === null || toMs === null ? [] : [`${formatCount(Math.max(0, toMs - fromMs))} ms`];
  return [
    ...span(acceptedAtMs, startedAtMs).map((value) => ({ label: 'waited', value })),
    ...span(startedAtMs, finishedAtMs).map((value) => ({ label: 'ran', value })),
    { label: 'in all', value: `${formatCount(totalMs)} ms` },
  ];
}

function noteOf({ stage, isRemoved }: CanaryResult, failedReason: string | null): string {
  if (!isRemoved) return 'The worker still holds the job; it is removed when it ends.';
  const gone = 'The job is gone from Redis again.';
  return stage === 'failed'
    ? `The way works; the worker said: ${plainName(failedReason ?? '')}. ${gone}`
    : gone;
}

function upperFirst(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
