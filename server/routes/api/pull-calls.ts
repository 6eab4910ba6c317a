import type { Context } from 'hono';
import type { AppDeps } from '../../app-deps.js';
import { type Actor, includesRole } from '../../auth/role.js';
import { checkRequest, knownLever } from '../../levers/check-request.js';
import type { Outcome } from '../../levers/lever.js';
import type { LeverRequest } from '../../levers/request.js';
import type { ApiEnv } from './env.js';
import { presentOutcomes } from './present.js';

/** A lever with its arguments, as one part of a desired state. */
export interface Call {
  readonly lever: string;
  readonly args: Record<string, unknown>;
}

/**
 * Pulls the levers that bring about one desired state, one after the other. All are looked at before the first is pulled:
 * a bad value in the last part must not leave the first one done.
 * @throws LeverError for a request that makes no sense; then nothing was changed.
 */
export async function pullCalls(
  deps: AppDeps,
  actor: Actor,
  target: Omit<LeverRequest, 'lever' | 'args'>,
  calls: readonly Call[],
): Promise<readonly Outcome[]> {
  for (const call of calls) {
    const lever = knownLever(call.lever);
    // Whoever may not is told so first, and that is kept in the audit.
    if (includesRole(actor.role, lever.role)) checkRequest(lever, { ...target, ...call });
  }
  const outcomes: Outcome[] = [];
  for (const call of calls) outcomes.push(...(await deps.runLever(actor, { ...target, ...call })));
  return outcomes;
}

/** An answer that a program can tell by its status: 409 where not one target was changed as asked. */
export function answerOutcomes(c: Context<ApiEnv>, outcomes: readonly Outcome[]) {
  const body = presentOutcomes(outcomes);
  return body.failed === outcomes.length ? c.json(body, 409) : c.json(body, 200);
}
