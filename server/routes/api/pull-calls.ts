import type { Context } from 'hono';
import { checkRequest, knownAction } from '../../actions/request.js';
import type { ActionRequest, Outcome } from '../../model/action.js';
import { type Actor, includesRole } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import type { ApiEnv } from './env.js';
import { presentOutcomes } from './present.js';

/** An action with its arguments, as one part of a desired state. */
export interface Call {
  readonly action: string;
  readonly args: Record<string, unknown>;
}

/**
 * Pulls the actions that bring about one desired state, one after the other. All are looked at before the first is pulled:
 * a bad value in the last part must not leave the first one done.
 * @throws ActionError for a request that makes no sense; then nothing was changed.
 */
export async function pullCalls(
  deps: AppDeps,
  actor: Actor,
  target: Omit<ActionRequest, 'action' | 'args'>,
  calls: readonly Call[],
): Promise<readonly Outcome[]> {
  for (const call of calls) {
    const action = knownAction(call.action);
    // Whoever may not is told so first, and that is kept in the audit.
    if (includesRole(actor.role, action.role)) checkRequest(action, { ...target, ...call });
  }
  const outcomes: Outcome[] = [];
  for (const call of calls) outcomes.push(...(await deps.runAction(actor, { ...target, ...call })));
  return outcomes;
}

/**
 * What a program can tell by the status alone. 200: every target is as asked, and was read back so. 202: in force, but not
 * confirmed by all, or not at every target. 409: nothing was changed. A dry run: 200, or 409 where all would be refused.
 */
export function statusOf(outcomes: readonly Pick<Outcome, 'status' | 'isDryRun'>[]): 200 | 202 | 409 {
  const count = (...wanted: readonly Outcome['status'][]): number =>
    outcomes.filter(({ status }) => wanted.includes(status)).length;
  const verified = count('applied', 'unchanged');
  if (verified === outcomes.length) return 200;
  if (count('failed', 'refused') === outcomes.length) return 409;
  return outcomes.every(({ isDryRun }) => isDryRun) ? 200 : 202;
}

export function answerOutcomes(c: Context<ApiEnv>, outcomes: readonly Outcome[]) {
  const body = presentOutcomes(outcomes);
  const status = statusOf(outcomes);
  return status === 200 ? c.json(body, 200) : c.json(body, status);
}
