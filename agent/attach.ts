import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Agent } from './agent.js';
import { AttachedWorker } from './attached-worker.js';
import { Containment, messageOf, type Report, safeReport } from './contain.js';
import { type Health, type HealthOptions, type HealthSource, handlerFor, healthOf } from './health.js';
import { type AttachOptions, checkOptions, warn } from './options.js';
import { clientKindOf, fromAdapter } from './other-clients.js';
import { identityOf, isRedisShape, type RedisShape } from './redis-shape.js';
import { type AttachableWorker, clientOf, insideOf, isPostgres } from './worker-shape.js';

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
/** Of all workers that are attached now. */
const sources = new Set<HealthSource>();

/**
 * Lets a Spillway console see a BullMQ worker and give it orders (concurrency, pause, limiter), in one line:
 *
 * ```ts
 * import { attach } from 'spillway-agent';
 * attach(worker);
 * ```
 *
 * Never throws into the process, slows it or keeps it alive: without Redis or a console the worker works on.
 * @param worker of BullMQ 5 or 6. Attached twice, it keeps the first attachment.
 */
export function attach(worker: AttachableWorker, options: AttachOptions = {}): Attached {
  const report = safeReport(options?.onProblem ?? warn);
  try {
    return attached.get(worker) ?? attachNew(worker, options, report);
  } catch (error) {
    report(`spillway-agent: not attached: ${messageOf(error)}; the worker works on`);
    return { id: randomUUID(), detach: () => Promise.resolve() };
  }
}

/**
 * Is the work of this process going on? For the probes of whoever restarts it: false, with the reason, where a worker is
 * deaf (takes nothing while jobs wait) or wedged (all slots hold jobs that do not end). True while it is paused, held by a
 * limit or a full Redis, or idle, and where Redis does not answer: a restart mends none of that. Never rejects.
 */
export async function health(options: HealthOptions = {}): Promise<Health> {
  try {
    return await healthOf([...sources], options);
  } catch (error) {
    return { ok: true, reason: `unknown: ${messageOf(error)}`, workers: [] };
  }
}

/** A handler of such probes, for `http`, Express and Hono: `app.get('/healthz', healthHandler())`. 200, or 503 with the reason. */
export function healthHandler(options: HealthOptions = {}): ReturnType<typeof handlerFor> {
  return handlerFor(() => health(options));
}

function attachNew(worker: AttachableWorker, options: AttachOptions, report: Report): Attached {
  const { checked, problems } = checkOptions(options, insideOf(worker).opts.name, report);
  for (const problem of problems) report(`spillway-agent on ${worker.name}: ${problem}`);
  const contain = new Containment(report);
  let agent: Agent | null = null;
  let isDetached = false;
  const seen = new AttachedWorker(worker, checked, hostname(), contain, {
    onBlocked: () => agent?.blocked(),
    onClosed: () => contain.run('detaching', detach),
  });

  const source: HealthSource = {
    look: () => seen.look(),
    waiting: async () => (await agent?.waiting(seen.queueId)) ?? null,
    idleSince: null,
  };
  const detach = async (): Promise<void> => {
    if (isDetached) return;
    isDetached = true;
    sources.delete(source);
    attached.delete(worker);
    contain.run('detaching', () => seen.detach());
    if (!agent) return;
    await agent.remove(seen).catch((error: unknown) => contain.failed('its farewell', error));
    forgetIfEmpty(agent);
  };

  const join = async (): Promise<void> => {
    const client = await clientFor(worker, checked.connection, () => isDetached);
    if (isDetached) return;
    agent = agentFor(client);
    agent.add(seen);
  };
  join().catch((error: unknown) => {
    if (isDetached) return;
    // Nothing is left of it on the worker, which can be attached again.
    contain.run('detaching', detach);
    if (!(error instanceof NotSupported)) {
      report(`spillway-agent on ${worker.name}: not attached: ${messageOf(error)}; the worker works on`);
    } else if (!reported.has(error.message)) {
      reported.add(error.message);
      report(
        `spillway-agent: ${worker.name}, and any other worker like it, is not attached: ${error.message}; the worker works on`,
      );
    }
  });

  const result: Attached = { id: seen.id, detach };
  attached.set(worker, result);
  sources.add(source);
  return result;
}

/** Not a fault of this worker: the agent does not know what it uses. */
class NotSupported extends Error {}

/** What was reported in this process already, of what the agent does not know: a line, not one for each of a hundred workers. */
const reported = new Set<string>();

/** @throws NotSupported where the worker is not reached by what the agent knows; what keeps the worker from connecting. */
async function clientFor(
  worker: AttachableWorker,
  connection: unknown,
  isGivenUp: () => boolean,
): Promise<RedisShape> {
  if (isPostgres(worker))
    throw new NotSupported('its queue is in PostgreSQL, and the agent speaks by Redis alone');
  const client = connection === undefined ? await clientOf(worker) : connection;
  if (isRedisShape(client)) return client;
  const kind = clientKindOf(client);
  if (kind !== null) return fromAdapter(client, kind, isGivenUp);
  throw new NotSupported(
    connection === undefined
      ? 'it reaches Redis by a client that the agent does not know; give the option `connection`, an ioredis client of the same Redis'
      : 'the option `connection` is no client that the agent knows; give one of ioredis 5 or 6, or what BullMQ makes of another',
  );
}

function agentFor(client: RedisShape): Agent {
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
