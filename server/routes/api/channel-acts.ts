import type { Delivery } from '../../alerts/channels/delivery.js';
import type { Actor } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';
import { auditOwn } from './audit-own.js';

/** What API and page do to channels and messages, each with its record. @throws Problem 404 for what there is not */
export async function testChannel(deps: AppDeps, actor: Actor, name: string): Promise<Delivery> {
  const startedAtMs = deps.now();
  const delivery = await deps.messaging.test(name, actor);
  if (delivery === null) throw new Problem(404, 'not-found', `there is no channel ${name.slice(0, 100)}`);
  await auditOwn(deps, actor, {
    action: 'channel.test',
    args: { channel: name },
    summary: delivery.ok ? 'the test arrived' : `the test did not arrive: ${delivery.problem}`,
    isDone: delivery.ok,
    durationMs: deps.now() - startedAtMs,
  });
  return delivery;
}

export async function resendMessage(deps: AppDeps, actor: Actor, id: number): Promise<void> {
  if (!(await deps.messaging.outbox.resend(id, deps.now()))) throw noSuch(id);
  await auditOwn(deps, actor, {
    ...{ action: 'outbox.resend', args: { message: id }, isDone: true, durationMs: 0 },
    summary: `message ${id} is tried anew`,
  });
}

export async function removeMessage(deps: AppDeps, actor: Actor, id: number): Promise<void> {
  if (!(await deps.messaging.outbox.remove(id))) throw noSuch(id);
  await auditOwn(deps, actor, {
    ...{ action: 'outbox.remove', args: { message: id }, isDone: true, durationMs: 0 },
    summary: `message ${id} is forgotten`,
  });
}

function noSuch(id: number): Problem {
  return new Problem(404, 'not-found', `there is no message ${id} that this could be done to`);
}
