import { hostname } from 'node:os';
import { Agent } from './agent.js';
import { AttachedWorker } from './attached-worker.js';
import { type AttachOptions, checkOptions } from './options.js';
import { identityOf, isRedisShape } from './redis-shape.js';
import { type AttachableWorker, clientOf, insideOf } from './worker-shape.js';

/** What `attach` returns. */
export interface Attached {
  /** New with each attach; what the console shows. */
  readonly id: string;
  /** Puts the worker back as it was deployed and says farewell. Safe to call more than once; `worker.close()` does it too. */
  detach(): Promise<void>;
}

/** By Redis: the workers of one process share connections. */
const agents = new Map<string, Agent>();
const attached = new WeakMap<object, Attached>();

/**
 * Lets a Spillway console see a BullMQ worker and give it orders (concurrency, pause, limiter), in one line:
 *
 * ```ts
 * import { attach } from 'spillway/agent';
 * attach(worker);
 * ```
 *
 * Never throws into the process, slows it or keeps it alive: without Redis or a console the worker works on.
 * @param worker of BullMQ 5 or 6. Attached twice, it keeps the first attachment.
 */
export function attach(worker: AttachableWorker, options: AttachOptions = {}): Attached {
  const known = attached.get(worker);
  if (known) return known;
  const { checked, problems } = checkOptions(options, insideOf(worker).opts.name);
  for (const problem of problems) checked.onProblem(`spillway/agent on ${worker.name}: ${problem}`);
  let agent: Agent | null = null;
  let isDetached = false;
  const seen = new AttachedWorker(worker, checked, hostname(), {
    onBlocked: () => agent?.blocked(),
    onClosed: () => void detach(),
  });

  const detach = async (): Promise<void> => {
    if (isDetached) return;
    isDetached = true;
    attached.delete(worker);
    seen.detach();
    if (!agent) return;
    await agent.remove(seen);
    forgetIfEmpty(agent);
  };

  const join = async (): Promise<void> => {
    const client = isRedisShape(checked.connection) ? checked.connection : await clientOf(worker);
    if (!isRedisShape(client)) {
      throw new Error('its Redis client is not ioredis; give `connection`, an ioredis client');
    }
    if (isDetached) return;
    agent = agentFor(client);
    agent.add(seen);
  };
  join().catch((error: unknown) => {
    if (isDetached) return;
    const why = error instanceof Error ? error.message : String(error);
    checked.onProblem(`spillway/agent on ${worker.name}: not attached: ${why}`);
  });

  const result: Attached = { id: seen.id, detach };
  attached.set(worker, result);
  return result;
}

function agentFor(client: Parameters<typeof identityOf>[0]): Agent {
  const identity = identityOf(client);
  const known = agents.get(identity);
  if (known) return known;
  const made = new Agent(client);
  agents.set(identity, made);
  return made;
}

function forgetIfEmpty(agent: Agent): void {
  if (!agent.isEmpty) return;
  agent.stop();
  for (const [identity, known] of agents) if (known === agent) agents.delete(identity);
}
