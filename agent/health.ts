import type { QueueWait } from './agent.js';
import type { WorkerLook } from './attached-worker.js';
import { within } from './contain.js';

/** Options of `health`. */
export interface HealthOptions {
  /** A worker with a free slot that has taken nothing for so long while jobs wait is deaf. Default: 60. */
  readonly idleSeconds?: number;
  /** A worker whose slots are all busy, and where no job has ended for so long, is wedged. Default: 900. */
  readonly stuckSeconds?: number;
}

/** Is the work of one worker going on? */
export interface WorkerHealth {
  /** `<prefix>:<name>` */
  readonly queue: string;
  readonly name: string | null;
  readonly ok: boolean;
  /** In one sentence. */
  readonly reason: string;
}

/** Is the work of this process going on? */
export interface Health {
  /** false: restarting this process would help. */
  readonly ok: boolean;
  readonly reason: string;
  readonly workers: readonly WorkerHealth[];
}

/** One attached worker, as `health` asks it. */
export interface HealthSource {
  look(): WorkerLook;
  /** null: Redis does not say. */
  waiting(): Promise<QueueWait | null>;
  /** Since when, by performance.now(), it has been seen to take nothing though jobs waited; null: it is not. */
  idleSince: number | null;
}

const DEFAULT_IDLE_SECONDS = 60;
const DEFAULT_STUCK_SECONDS = 900;
/** A probe waits a second by default; what Redis has not said by then is unknown. */
const ASK_WITHIN_MS = 700;

/** Of all workers of a process. What keeps a worker from taking jobs on purpose (a pause, a limit, a full Redis) is no fault of the process. */
export async function healthOf(
  sources: readonly HealthSource[],
  { idleSeconds = DEFAULT_IDLE_SECONDS, stuckSeconds = DEFAULT_STUCK_SECONDS }: HealthOptions,
): Promise<Health> {
  const limits = { idleMs: idleSeconds * 1_000, stuckMs: stuckSeconds * 1_000 };
  const workers = await Promise.all(sources.map((source) => judge(source, limits)));
  const failing = workers.filter(({ ok }) => !ok);
  if (workers.length === 0) return { ok: true, reason: 'no worker is attached', workers };
  if (failing.length === 0) return { ok: true, reason: workers[0]?.reason ?? '', workers };
  return { ok: false, reason: failing.map(({ queue, reason }) => `${queue}: ${reason}`).join('; '), workers };
}

async function judge(
  source: HealthSource,
  limits: { readonly idleMs: number; readonly stuckMs: number },
): Promise<WorkerHealth> {
  const look = source.look();
  const says = (ok: boolean, reason: string): WorkerHealth => ({
    queue: look.queueId,
    name: look.name,
    ok,
    reason,
  });
  const now = performance.now();
  const atRest = restOf(look);
  if (atRest !== null) {
    source.idleSince = null;
    return says(true, atRest);
  }
  if (look.running >= look.slots) {
    source.idleSince = null;
    const stillMs = now - Math.max(look.oldestAt ?? now, look.startedAt ?? 0, look.endedAt ?? 0);
    if (stillMs < limits.stuckMs) return says(true, `${look.running} of ${look.slots} slots are busy`);
    return says(
      false,
      `all ${look.slots} slots are busy, and none has ended a job for ${seconds(stillMs)}: it is wedged`,
    );
  }
  const took = look.startedAt === null ? null : now - look.startedAt;
  if (took !== null && took < limits.idleMs) {
    source.idleSince = null;
    return says(true, `it took a job ${seconds(took)} ago`);
  }
  const queue = await within(ASK_WITHIN_MS, source.waiting()).catch(() => null);
  if (queue === null) return says(true, 'whether jobs wait is unknown, as Redis does not answer');
  if (queue.jobs === 0) {
    source.idleSince = null;
    return says(true, queue.why ?? 'it is idle: no job waits');
  }
  // From when jobs were first seen to wait: one that has just come is no sign yet.
  const since = Math.max(source.idleSince ?? now, look.startedAt ?? 0);
  source.idleSince = since;
  const idleMs = now - since;
  if (idleMs < limits.idleMs) return says(true, `${queue.jobs} jobs wait; it is about to take one`);
  return says(
    false,
    `it has taken no job for ${seconds(idleMs)}, with ${look.slots - look.running} of ${look.slots} slots free, while ${queue.jobs} wait: it is deaf`,
  );
}

/** Why it takes nothing on purpose; null: it should. */
function restOf(look: WorkerLook): string | null {
  if (look.isClosing) return 'it is closing';
  if (look.pausedBy !== null)
    return look.pausedBy === 'guard'
      ? 'it waits until Redis has room again'
      : `it is paused by ${by(look.pausedBy)}`;
  if (look.isBlocked) return 'Redis is full and refuses it; it goes on when there is room';
  if (look.isRateLimited) return 'it is held by its rate limit';
  return look.isRunning ? null : 'it has not been run yet';
}

function by(who: 'order' | 'application'): string {
  return who === 'order' ? 'an order of a console' : 'the application';
}

function seconds(ms: number): string {
  return `${Math.floor(ms / 1_000)} s`;
}

/** What a handler answers with, for Express and Node's own server. */
interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

/** Hono's context, as far as it is needed. */
interface HonoContext {
  json(body: object, status: 200 | 503): unknown;
}

/**
 * A handler for a Kubernetes probe, for `http`, Express and Hono alike: 200 while work goes on, 503 with the reason while it
 * does not.
 * @param ask `health` with its options.
 */
export function handlerFor(ask: () => Promise<Health>) {
  return async (first: unknown, second?: unknown): Promise<unknown> => {
    const said = await ask();
    const status = said.ok ? 200 : 503;
    if (isNodeResponse(second)) {
      second.statusCode = status;
      second.setHeader('content-type', 'application/json');
      second.setHeader('cache-control', 'no-store');
      return second.end(JSON.stringify(said));
    }
    return (first as HonoContext).json(said, status);
  };
}

function isNodeResponse(value: unknown): value is NodeResponse {
  return typeof value === 'object' && value !== null && 'setHeader' in value && 'end' in value;
}
