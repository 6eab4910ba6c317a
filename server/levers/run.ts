import { type Actor, includesRole } from '../auth/role.js';
import type { RedisLink } from '../redis/link.js';
import { describeProblem } from '../redis/problem.js';
import type { AuditLog } from '../store/audit-record.js';
import type { QueueState, Snapshot } from '../watch/snapshot.js';
import type { Watch } from '../watch/watch.js';
import { auditRecordOf } from './audit.js';
import { findLever, LEVERS } from './index.js';
import { type LeverContext, LeverError, type LeverTarget, type Outcome, type Preview } from './lever.js';
import { measureAfter } from './measure-after.js';
import type { LeverInHand, RegisteredLever } from './register.js';
import type { LeverRequest } from './request.js';
import { findQueue, matchQueues } from './targets.js';

export interface LeverDeps {
  readonly watch: Watch;
  readonly audit: AuditLog;
  readonly now: () => number;
  readonly newId: () => string;
  /** For an audit that can't be written: the change is made all the same, and this is told. */
  readonly warn: (message: string) => void;
}

/** Queues of a group that are changed at the same time. */
const AT_ONCE = 8;

/**
 * Pulls one lever on one or more targets: parse, check, read, preview and, unless it is a dry run, apply, read back and
 * audit. One outcome a target; what Redis refuses for one target is that one's outcome and stops no other.
 * @throws LeverError for a request that makes no sense: no such lever, instance or queue, bad arguments, wrong role.
 */
export async function runLever(
  deps: LeverDeps,
  actor: Actor,
  request: LeverRequest,
): Promise<readonly Outcome[]> {
  const lever = knownLever(request.lever);
  checkRequest(lever, actor, request);
  const snapshot = knownInstance(deps.watch, request.instance);
  const link = deps.watch.link(request.instance);
  if (!link) throw new LeverError('not-found', `instance: there is no Redis named ${request.instance}`);
  if (snapshot.link.status !== 'live') {
    throw new LeverError(
      'unreachable',
      `${snapshot.link.problem ?? `Redis ${request.instance} can't be read`}: nothing was changed`,
    );
  }
  const targets = targetsOf(lever, snapshot, request);
  const outcomes: Outcome[] = [];
  for (let from = 0; from < targets.length; from += AT_ONCE) {
    const some = targets.slice(from, from + AT_ONCE);
    outcomes.push(
      ...(await Promise.all(some.map((target) => pull(deps, actor, request, lever, link, snapshot, target)))),
    );
  }
  return outcomes;
}

function knownLever(name: string): RegisteredLever {
  const lever = findLever(name);
  if (lever) return lever;
  throw new LeverError(
    'not-found',
    `lever: there is no lever ${name}; there are ${LEVERS.map((known) => known.name).join(', ')}`,
  );
}

function checkRequest(lever: RegisteredLever, actor: Actor, request: LeverRequest): void {
  if (!includesRole(actor.role, lever.role)) {
    throw new LeverError(
      'forbidden',
      `${lever.name} needs the role ${lever.role}, and ${actor.name} is ${actor.role}`,
    );
  }
  const parsed = lever.parse(request.args);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => problemOf(issue, request.args));
    throw new LeverError(
      'invalid',
      fields.map((field) => `${field.field}: ${field.problem}`).join('; '),
      fields,
    );
  }
  if (!request.dryRun && request.reason.trim() === '') {
    const problem = 'say in a few words why; it is kept with the change';
    throw new LeverError('invalid', `reason: ${problem}`, [
      { field: 'reason', value: request.reason, problem },
    ]);
  }
}

function problemOf(
  issue: {
    readonly path: readonly PropertyKey[];
    readonly message: string;
    readonly code?: string;
    readonly keys?: readonly string[];
  },
  args: unknown,
): LeverError['fields'][number] {
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys?.join(', ') ?? '';
    return { field: keys, value: undefined, problem: `is not an argument of this lever` };
  }
  const [first] = issue.path;
  const value =
    typeof args === 'object' && args !== null && first !== undefined ? Reflect.get(args, first) : args;
  return { field: issue.path.map(String).join('.') || 'args', value, problem: issue.message };
}

function knownInstance(watch: Watch, name: string): Snapshot {
  const snapshot = watch.snapshot(name);
  if (snapshot) return snapshot;
  const names = watch.snapshots().map((known) => known.instance);
  throw new LeverError(
    'not-found',
    `instance: there is no Redis named ${name}; there are ${names.join(', ')}`,
  );
}

function targetsOf(
  lever: RegisteredLever,
  snapshot: Snapshot,
  request: LeverRequest,
): readonly LeverTarget[] {
  const target = (queue: QueueState | null): LeverTarget => ({
    instance: snapshot.instance,
    queue,
    jobId: request.jobId ?? null,
  });
  if (lever.scope === 'instance') return [target(null)];
  if (request.match !== undefined) return matchQueues(snapshot, request.match).map(target);
  if (request.queues.length === 0)
    throw new LeverError('invalid', 'queues: name at least one queue, or give match');
  const queues = [...new Set(request.queues)].map((id) => findQueue(snapshot, id));
  if (lever.scope === 'job' && (queues.length !== 1 || request.jobId === undefined)) {
    throw new LeverError('invalid', 'jobId: this lever acts on one job of one queue; give both');
  }
  return queues.map(target);
}

/** One target, from reading to audit. Never throws: what goes wrong is the outcome. */
async function pull(
  deps: LeverDeps,
  actor: Actor,
  request: LeverRequest,
  lever: RegisteredLever,
  link: RedisLink,
  snapshot: Snapshot,
  target: LeverTarget,
): Promise<Outcome> {
  const startedAtMs = deps.now();
  const context: LeverContext = { link, target, snapshot, actor: actor.name, nowMs: startedAtMs };
  const base: OutcomeBase = {
    lever: lever.name,
    target,
    isDryRun: request.dryRun,
    startedAtMs,
    now: deps.now,
  };
  const outcome = await attempt(lever, context, request, base);
  if (request.dryRun) return outcome;
  const record = auditRecordOf(deps.newId(), startedAtMs, actor, request, outcome);
  try {
    await deps.audit.append(record);
  } catch (error) {
    deps.warn(
      `audit of ${lever.name} by ${actor.name} was not kept: ${error instanceof Error ? error.message : 'unknown reason'}`,
    );
    return { ...outcome, warnings: [...outcome.warnings, 'This change could not be written to the audit.'] };
  }
  if (target.queue) deps.watch.refreshSoon(target.instance, target.queue.id);
  if (outcome.status === 'applied') measureAfter(deps, record.id, lever.name, request.instance, target.queue);
  return { ...outcome, auditId: record.id };
}

interface OutcomeBase {
  readonly lever: string;
  readonly target: LeverTarget;
  readonly isDryRun: boolean;
  readonly startedAtMs: number;
  readonly now: () => number;
}

async function attempt(
  lever: RegisteredLever,
  context: LeverContext,
  request: LeverRequest,
  base: OutcomeBase,
): Promise<Outcome> {
  const reason = lever.unavailable(context);
  if (reason !== null) return outcomeOf(base, { status: 'refused', summary: reason });
  let inHand: LeverInHand | null = null;
  try {
    inHand = await lever.take(context, request.args);
    const { preview } = inHand;
    if (request.dryRun)
      return outcomeOf(base, {
        status: 'unchanged',
        summary: preview.summary,
        preview,
        undo: callOf(inHand, context),
      });
    const applied = await inHand.apply();
    const verified = await inHand.verify();
    return outcomeOf(base, {
      status: !verified.ok ? 'unverified' : preview.isNoop ? 'unchanged' : 'applied',
      summary: verified.ok ? applied.summary : `${applied.summary} ${verified.summary}`,
      preview,
      fields: verified.fields,
      warnings: verified.warnings,
      freedBytes: applied.freedBytes,
      undo: preview.isNoop ? null : callOf(inHand, context),
    });
  } catch (error) {
    const preview = inHand?.preview ?? null;
    if (error instanceof LeverError)
      return outcomeOf(base, { status: 'refused', summary: error.message, preview });
    const summary = `${describeProblem(error, context.link.address)}. Read the queue again before you repeat it.`;
    return outcomeOf(base, { status: 'failed', summary: redisWords(error) ?? summary, preview });
  }
}

/** What Redis itself said, where it is a refusal that a person can read. */
function redisWords(error: unknown): string | null {
  const text = error instanceof Error ? error.message : '';
  if (/^(OOM|READONLY|NOPERM|MISCONF|NOREPLICAS)/.test(text)) return `Redis refused: ${text.slice(0, 200)}`;
  // BullMQ's own words for a job, e.g. that it is locked by a worker.
  return /^(Job|Could not|Missing|job) /.test(text) ? text.slice(0, 200) : null;
}

function callOf(inHand: LeverInHand, context: LeverContext): Outcome['undo'] {
  if (!inHand.undo) return null;
  const { target } = context;
  return {
    lever: inHand.undo.lever,
    instance: target.instance,
    queues: target.queue ? [target.queue.id] : [],
    ...(target.jobId === null ? {} : { jobId: target.jobId }),
    args: inHand.undo.args,
  };
}

function outcomeOf(
  base: OutcomeBase,
  facts: Pick<Outcome, 'status' | 'summary'> &
    Partial<Pick<Outcome, 'fields' | 'warnings' | 'freedBytes' | 'undo'>> & {
      readonly preview?: Preview | null;
    },
): Outcome {
  return {
    lever: base.lever,
    instance: base.target.instance,
    queue: base.target.queue?.id ?? null,
    jobId: base.target.jobId,
    isDryRun: base.isDryRun,
    durationMs: base.now() - base.startedAtMs,
    auditId: null,
    status: facts.status,
    summary: facts.summary,
    preview: facts.preview ?? null,
    fields: facts.fields ?? facts.preview?.fields ?? [],
    warnings: facts.warnings ?? [],
    freedBytes: facts.freedBytes ?? null,
    undo: facts.undo ?? null,
  };
}
