import { type AttachableWorker, clientsOf, type ShapeOfClient, wakeMainLoop } from './worker-shape.js';

/** Together less than RECONNECT_WITHIN_MS of the protocol. */
const PONG_WITHIN_MS = 1_000;
const READY_WITHIN_MS = 3_000;
const JOB_WITHIN_MS = 4_000;
const LOOK_EVERY_MS = 25;

/** What came of it, in words for the answer. */
export interface Reconnected {
  readonly tookJob: boolean;
  readonly note: string;
}

/**
 * Gives a worker new connections to Redis and sees whether it then takes a job: for one that is connected and takes
 * nothing. The connection on which it waits is always renewed; the one on which it does everything else where it does not
 * answer a PING within a second, as asking for a job on a dead one never ends (BullMQ 5.81 and 6.7 set no time-out: neither
 * their watchdog of the blocking connection nor pause and resume help then). The socket is destroyed and ioredis connects
 * anew by its own rules: what was under way on it is sent again, and so the worker's own loop goes on where it stood. Jobs
 * in hand go on. Never rejects; ends within RECONNECT_WITHIN_MS.
 * @param hasStarted has a job been started since this was called?
 */
export async function reconnect(worker: AttachableWorker, hasStarted: () => boolean): Promise<Reconnected> {
  const { blocking, main } = clientsOf(worker);
  if (!blocking)
    return { tookJob: false, note: 'its connections can’t be reached in this version of BullMQ' };
  const isMainAlive = main === null || main === blocking || (await answers(main));
  const renewed = [blocking, ...(isMainAlive ? [] : [main])];
  const isUp = (await Promise.all(renewed.map(renew))).every((one) => one);
  const what = isMainAlive
    ? 'the connection on which it waits'
    : 'both of its connections (the one by which it takes jobs did not answer)';
  if (!isUp)
    return { tookJob: false, note: `${what} could not be made anew within ${READY_WITHIN_MS / 1000} s` };
  if (!worker.isRunning()) void Promise.resolve(worker.resume()).catch(() => undefined);
  wakeMainLoop(worker);
  const tookJob = await until(hasStarted, JOB_WITHIN_MS);
  const then = tookJob
    ? 'and it has taken a job'
    : `and it has taken no job within ${JOB_WITHIN_MS / 1000} s`;
  return { tookJob, note: `${what} ${isMainAlive ? 'is' : 'are'} new, ${then}` };
}

async function answers(client: ShapeOfClient): Promise<boolean> {
  if (client.status !== 'ready' || !client.ping) return false;
  let hasAnswered = false;
  client.ping().then(
    () => {
      hasAnswered = true;
    },
    () => undefined,
  );
  return until(() => hasAnswered, PONG_WITHIN_MS);
}

/** @returns whether it is connected anew in time; else ioredis goes on trying. */
async function renew(client: ShapeOfClient): Promise<boolean> {
  const streams = new Set(nodesOf(client).map(({ stream }) => stream));
  for (const stream of streams) stream?.destroy?.();
  return until(() => {
    // It would wait for a second or more before it tries.
    if (client.status === 'reconnecting' || client.status === 'end')
      client.connect?.().catch(() => undefined);
    return (
      client.status === 'ready' &&
      nodesOf(client).some(({ status, stream }) => status === 'ready' && !streams.has(stream))
    );
  }, READY_WITHIN_MS);
}

function nodesOf(client: ShapeOfClient): readonly ShapeOfClient[] {
  return client.isCluster ? (client.nodes?.('all') ?? []) : [client];
}

/** Looks again and again; the timers keep no process alive. */
async function until(holds: () => boolean, withinMs: number): Promise<boolean> {
  const fromMs = performance.now();
  while (!holds()) {
    if (performance.now() - fromMs >= withinMs) return false;
    await new Promise<void>((resolve) => setTimeout(resolve, LOOK_EVERY_MS).unref());
  }
  return true;
}
