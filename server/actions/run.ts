import { planBasisOf } from '../forecast/plan-basis.js';
import type { Prediction } from '../forecast/score.js';
import { predictionOf } from '../forecast/score.js';
import type { ActionRequest } from '../model/action.js';
import {
  ActionError,
  type Outcome,
  type Preview,
  requirePermitted,
  Unconfirmed,
  type Undo,
  type Verified,
} from '../model/action.js';
import type { AuditLog, AuditRecord } from '../model/audit-record.js';
import { callersSnapshot } from '../model/callers-snapshot.js';
import { hasRoleOn } from '../model/grants.js';
import { type Actor, includesRole } from '../model/role.js';
import type { Snapshot } from '../model/snapshot.js';
import { describeRefusal, hasUnknownEnd } from '../redis/problems.js';
import type { Parkings } from '../replay/parking/parkings.js';
import { auditOf } from '../timeline/audit-log.js';
import type { TypeThresholds } from '../watch/type-thresholds.js';
import type { Watch } from '../watch/watch.js';
import type { ActionContext, ActionTarget, PreparedAction, RegisteredAction } from './action.js';
import { aimAfter, makesRoom, nodeInNeed } from './aim.js';
import { measureAfter } from './measure-after.js';
import { checkRequest, type ForbiddenAttempts, knownAction, knownInstance, targetsOf } from './request.js';

export interface ActionDeps {
  readonly watch: Watch;
  readonly audit: AuditLog;
  readonly typeThresholds: TypeThresholds;
  readonly parkings: Parkings;
  readonly forbidden: ForbiddenAttempts;
  readonly now: () => number;
  readonly newId: () => string;
  /** For an audit that can't be written: the change is made all the same, and this is logged. */
  readonly warn: (message: string) => void;
  /** Takes what was forecast of a change that was made, to be held against what happens; never rejects. */
  readonly forecast?: (prediction: Prediction) => Promise<void>;
}

/** Queues of a group that are changed at the same time. */
const AT_ONCE = 8;

/**
 * Runs one action on one or more targets: parse, check, read, preview and, unless it is a dry run, apply, read back and
 * audit. One outcome a target; what Redis refuses for one target is that one's outcome and stops no other.
 * @param isStep it is one of several: those ask together whether they were enough.
 * @throws ActionError for a request that makes no sense: no such action, instance or queue, bad arguments, wrong role.
 */
export async function runAction(
  deps: ActionDeps,
  actor: Actor,
  request: ActionRequest,
  isStep = false,
): Promise<readonly Outcome[]> {
  const action = knownAction(request.action);
  const role = action.roleFor(request.args);
  if (!includesRole(actor.role, role))
    throw await forbidden(deps, actor, request, `${role}, and ${actor.name} is ${actor.role}`);
  checkRequest(action, request);
  const snapshot = knownInstance(seenBy(deps.watch, actor), request.instance);
  requirePermitted(snapshot.permits, action.name);
  const link = deps.watch.link(request.instance);
  const agents = deps.watch.agents(request.instance);
  if (!link || !agents)
    throw new ActionError('not-found', `instance: there is no Redis named ${request.instance}`);
  if (snapshot.link.status !== 'live') {
    throw new ActionError(
      'unreachable',
      `${snapshot.link.problem ?? `Redis ${request.instance} can't be read`}: nothing was changed`,
    );
  }
  const needy = isStep || request.dryRun || !makesRoom(action.name) ? null : nodeInNeed(snapshot);
  const { targets: all, missing } = targetsOf(action, snapshot, request);
  // What is made of steps asks at each of them.
  const targets = all.filter(
    ({ queue }) => action.isOfSteps || hasRoleOn(actor, role, request.instance, queue?.id ?? null),
  );
  const less = all.filter((target) => !targets.includes(target)).map(({ queue }) => queue?.id ?? null);
  const needs = (id: string | null): string => `${role} on ${id ?? `the whole of Redis ${request.instance}`}`;
  if (targets.length === 0 && less[0] !== undefined)
    throw await forbidden(deps, actor, request, needs(less[0]));
  // Of a list that is partly out of date, the queues that there are get what was asked for.
  const outcomes: Outcome[] = [
    ...missing.map(({ id, why }) => refusedOf(deps, request, id, why)),
    ...less.map((id) => refusedOf(deps, request, id, `${action.name} needs the role ${needs(id)}`)),
  ];
  for (let from = 0; from < targets.length; from += AT_ONCE) {
    const some = targets.slice(from, from + AT_ONCE);
    outcomes.push(
      ...(await Promise.all(
        some.map((target) => runOn(deps, actor, request, action, { link, agents, snapshot, target })),
      )),
    );
  }
  if (!needy || !outcomes.some(({ status }) => status === 'applied' || status === 'unverified'))
    return outcomes;
  const aim = await aimAfter(deps, { request, node: needy, link });
  return aim ? outcomes.map((outcome) => ({ ...outcome, aim })) : outcomes;
}

/** An attempt beyond one's role changes nothing, and is kept in the audit all the same. @param needs a role, and where or why. */
async function forbidden(
  deps: ActionDeps,
  actor: Actor,
  request: ActionRequest,
  needs: string,
): Promise<ActionError> {
  const summary = `${request.action} needs the role ${needs}`;
  const before = request.dryRun ? null : deps.forbidden.take(actor.name, request.action, deps.now());
  if (before !== null) {
    const named = request.queues.length === 1 ? (request.queues[0] ?? null) : null;
    const more = before === 0 ? '' : `; so were ${before} attempts before it that are not kept one by one`;
    await keep(deps, actor, request, refusedOf(deps, request, named, summary + more));
  }
  return new ActionError('forbidden', summary);
}

/** What somebody sees of what is watched, and so what there is for them to act on. */
function seenBy(watch: Watch, actor: Actor): Pick<Watch, 'snapshot' | 'snapshots'> {
  const seen = (snapshot: Snapshot | null) => snapshot && callersSnapshot(snapshot, actor, 'viewer');
  return {
    snapshot: (instance) => seen(watch.snapshot(instance)),
    snapshots: () => watch.snapshots().flatMap((snapshot) => seen(snapshot) ?? []),
  };
}

/** Of what was not even begun. */
function refusedOf(deps: ActionDeps, request: ActionRequest, queue: string | null, summary: string): Outcome {
  const { action, instance, jobId = null, dryRun: isDryRun } = request;
  const target = { instance, queue: null, jobId, worker: null };
  const base = { action, target, isDryRun, startedAtMs: deps.now(), now: deps.now };
  return { ...outcomeOf(base, { status: 'refused', summary }), queue };
}

/** One target, from reading to audit. Never throws: what goes wrong is the outcome. */
async function runOn(
  deps: ActionDeps,
  actor: Actor,
  request: ActionRequest,
  action: RegisteredAction,
  where: Pick<ActionContext, 'link' | 'agents' | 'snapshot' | 'target'>,
): Promise<Outcome> {
  const startedAtMs = deps.now();
  const { target } = where;
  const context: ActionContext = {
    ...where,
    typeThresholds: deps.typeThresholds,
    parkings: deps.parkings,
    dismissWorker: (workerId) => deps.watch.dismissWorker(target.instance, workerId),
    dismissLoss: (untilMs) => deps.watch.dismissLoss(target.instance, untilMs),
    actor: actor.name,
    reason: request.reason.trim(),
    nowMs: startedAtMs,
    newId: deps.newId,
    run: ({ workers, ...step }, dryRun) =>
      runAction(
        deps,
        actor,
        {
          ...{ ...step, instance: target.instance, reason: request.reason, dryRun },
          ...(workers === undefined ? {} : { workers }),
        },
        true,
      ),
  };
  const base: OutcomeBase = {
    action: action.name,
    target,
    isDryRun: request.dryRun,
    startedAtMs,
    now: deps.now,
  };
  const outcome = await attempt(action, context, request, base);
  // What is made of steps has recorded each, and each is in the audit.
  if (request.dryRun || action.isOfSteps) return outcome;
  deps.watch.noteAction(target.instance, {
    action: action.name,
    queue: target.queue?.id ?? null,
    args: request.args,
    isChange: outcome.status === 'applied' || outcome.status === 'unverified',
    freedBytes: outcome.freedBytes,
  });
  const kept = await keep(deps, actor, request, outcome);
  if (kept.auditId !== null && outcome.status === 'applied' && target.queue) {
    const { name } = action;
    measureAfter(deps, {
      auditId: kept.auditId,
      action: name,
      instance: request.instance,
      queue: target.queue,
    });
    const prediction = predictionIn(outcome, context);
    if (prediction) void deps.forecast?.(prediction);
  }
  return kept;
}

/** What the preview forecast, from the moment of the change on; null: no drain time. */
function predictionIn({ preview }: Outcome, { snapshot, target, nowMs }: ActionContext): Prediction | null {
  const basis = preview?.forecast && target.queue ? planBasisOf(snapshot, target.queue.id) : null;
  if (!basis || !preview?.forecast) return null;
  const { change, plan } = preview.forecast;
  return predictionOf(snapshot.instance, basis, change, plan, nowMs);
}

/** Writes one outcome to the audit. The change is made by then: that it can't be kept is said in the outcome, and changes nothing. */
async function keep(
  deps: ActionDeps,
  actor: Actor,
  request: ActionRequest,
  outcome: Outcome,
): Promise<Outcome> {
  const record = auditRecordOf(deps.newId(), deps.now() - outcome.durationMs, actor, request, outcome);
  try {
    await deps.audit.append(record);
    return { ...outcome, auditId: record.id };
  } catch (error) {
    deps.warn(
      `audit of ${outcome.action} by ${actor.name} was not kept: ${error instanceof Error ? error.message : 'unknown reason'}`,
    );
    const warnings = [...outcome.warnings, 'This change could not be written to the audit.'];
    return { ...outcome, isAuditLost: true, warnings };
  }
}

interface OutcomeBase {
  readonly action: string;
  readonly target: ActionTarget;
  readonly isDryRun: boolean;
  readonly startedAtMs: number;
  readonly now: () => number;
}

async function attempt(
  action: RegisteredAction,
  context: ActionContext,
  request: ActionRequest,
  base: OutcomeBase,
): Promise<Outcome> {
  const reason = action.unavailable(context);
  if (reason !== null) return outcomeOf(base, { status: 'refused', summary: reason });
  let prepared: PreparedAction | null = null;
  let isSent = false;
  try {
    prepared = await action.prepare(context, request.args);
    const { preview } = prepared;
    if (request.dryRun)
      return outcomeOf(base, {
        status: 'unchanged',
        summary: preview.summary,
        preview,
        undo: callOf(prepared, context),
      });
    isSent = true;
    const { applied, verify } = await prepared.apply();
    const verified = await readBack(verify, context);
    const isUnchanged = preview.isNoop || applied.isUnchanged === true;
    return outcomeOf(base, {
      status: !verified.ok ? 'unverified' : isUnchanged ? 'unchanged' : 'applied',
      summary: verified.ok ? applied.summary : `${applied.summary} ${verified.summary}`,
      preview,
      fields: verified.fields,
      warnings: verified.warnings ?? [],
      freedBytes: applied.freedBytes ?? null,
      workers: applied.workers ?? [],
      ...(applied.steps === undefined ? {} : { steps: applied.steps }),
      ...(applied.isUnderWay ? { isUnderWay: true } : {}),
      undo: isUnchanged ? null : callOf(applied.undo === undefined ? prepared : applied, context),
    });
  } catch (error) {
    const preview = prepared?.preview ?? null;
    if (error instanceof ActionError)
      return outcomeOf(base, { status: 'refused', summary: error.message, preview });
    const isUnknown = error instanceof Unconfirmed || (isSent && hasUnknownEnd(error));
    return outcomeOf(base, {
      // Sent, and nobody has said what came of it: it may be in force, so it is not shown as a change that was not made.
      status: isUnknown ? 'unverified' : 'failed',
      summary: error instanceof Unconfirmed ? error.message : describeRefusal(error, context.link.address),
      preview,
      undo: isUnknown && prepared ? callOf(prepared, context) : null,
    });
  }
}

/** The change is made: that it can't be read back must not hide that. */
async function readBack(verify: () => Promise<Verified>, context: ActionContext): Promise<Verified> {
  try {
    return await verify();
  } catch (error) {
    const why = error instanceof ActionError ? error.message : describeRefusal(error, context.link.address);
    return { ok: false, summary: `It could not be read back: ${why}`, fields: [] };
  }
}

function callOf({ undo }: { readonly undo?: Undo | null }, context: ActionContext): Outcome['undo'] {
  if (!undo) return null;
  const { target } = context;
  return {
    action: undo.action,
    instance: target.instance,
    queues: target.queue && !target.worker ? [target.queue.id] : [],
    ...(target.worker === null ? {} : { workers: [target.worker.id] }),
    ...(target.jobId === null ? {} : { jobId: target.jobId }),
    args: undo.args,
  };
}

function outcomeOf(
  base: OutcomeBase,
  facts: Pick<Outcome, 'status' | 'summary'> &
    Partial<Pick<Outcome, 'fields' | 'warnings' | 'freedBytes' | 'undo' | 'workers' | 'steps'>> & {
      readonly preview?: Preview | null;
    },
): Outcome {
  return {
    action: base.action,
    instance: base.target.instance,
    queue: base.target.queue?.id ?? null,
    jobId: base.target.jobId,
    worker: base.target.worker?.id ?? null,
    workers: facts.workers ?? [],
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
    ...(facts.steps === undefined ? {} : { steps: facts.steps }),
  };
}

/** Who did what, why, from what to what, and how it ended. */
function auditRecordOf(
  id: string,
  atMs: number,
  actor: Actor,
  request: ActionRequest,
  outcome: Outcome,
): AuditRecord {
  const fields = (side: 'before' | 'after'): Readonly<Record<string, string>> =>
    Object.fromEntries(outcome.fields.map((field) => [field.label, field[side]]));
  return auditOf(id, atMs, actor, {
    reason: request.reason.trim(),
    action: outcome.action,
    instance: outcome.instance,
    queue: outcome.queue,
    jobId: outcome.jobId,
    worker: outcome.worker,
    args: typeof request.args === 'object' && request.args !== null ? { ...request.args } : {},
    before: fields('before'),
    // What was refused or failed has changed nothing, as far as is known.
    after: outcome.status === 'refused' || outcome.status === 'failed' ? fields('before') : fields('after'),
    status: outcome.status,
    summary: outcome.summary,
    freedBytes: outcome.freedBytes,
    durationMs: outcome.durationMs,
    undo: outcome.undo,
  });
}
