import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Parking } from '../../server/model/parking.js';
import type { ReplayAccount, ReplayView } from '../../server/model/replay.js';
import { SpecSchema } from '../../server/model/replay-spec.js';
import type { Actor } from '../../server/model/role.js';
import { openStore } from '../../server/open-store.js';
import { connect } from '../../server/redis/connect.js';
import { MovedJobs } from '../../server/replay/load-sample.js';
import { Replays } from '../../server/replay/replays.js';
import type { Watch } from '../../server/watch/watch.js';
import { parkRequest, startParking } from './parking-bench.js';
import { aQueue, aSnapshot } from './snapshot.js';
import { until } from './until.js';

/** What a crash child is to do. */
export interface CrashOrder {
  readonly port: number;
  readonly directory: string;
  /** Id of the queue whose failed jobs are replayed, and at which rate. */
  readonly replayed: string;
  readonly ratePerSecond: number;
  /** Ids of queues that are parked and brought back. */
  readonly parked: readonly string[];
  readonly isLast: boolean;
}

/** What a crash child says of itself. */
export interface CrashState {
  readonly replay: { readonly state: string; readonly account: ReplayAccount } | null;
  /** Parkings, and restorings, that are under way. */
  readonly underWay: number;
  /** Not empty once all that was parked has been brought back. */
  readonly parkings: readonly Parking[];
}

/**
 * What a console does of replays and parkings, without the rest of it, to be killed: it loads, says `warm`, and begins
 * once it is asked to, where a former one was killed. It replays the failed jobs of one queue, and parks and brings back
 * all jobs of others without end; the last one brings back what is parked and rests.
 */
process.on('disconnect', () => process.exit(0));
const ordered = new Promise<CrashOrder>((resolve) => process.once('message', resolve as () => void));
process.send?.('warm');
const order = await ordered;

const AT_FULL_SPEED = { ratePerSecond: null, guard: false } as const;
let underWay = 0;
const { port, directory, replayed, parked } = order;
const store = await openStore(directory);
if (store.problem !== null) throw new Error(store.problem);
const replays = new Replays({
  watch: watchOf(port, replayed),
  store: store.replays,
  audit: store.audit,
  moved: new MovedJobs(),
  recordEvent: () => undefined,
  now: Date.now,
  newId: randomUUID,
  warn: () => undefined,
});
await replays.onElected();
const spec = SpecSchema.parse({
  ratePerSecond: order.ratePerSecond,
  batchSize: 200,
  guard: false,
  reason: 'crash test',
});
const actor: Actor = { name: 'olga', role: 'operator', via: 'token' };
if (replays.list().length === 0)
  await replays.begin(actor, { instance: 'default', queues: [replayed], spec });
if (order.isLast)
  for (const { record } of replays.list())
    if (record.state === 'running')
      await replays.change(actor, record.id, { ratePerSecond: 5_000, reason: 'the last one' });
setInterval(() => report([]), 20);

const bench = await startParking({ port, directory });
await Promise.all(parked.map((queue) => (order.isLast ? bringBack(queue) : shuffle(queue))));
const accounts = await bench.parkings.list({ limit: 1_000 });
for (;;) {
  report(accounts);
  await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Parks all of a queue and brings it back, again and again. */
async function shuffle(queue: string): Promise<never> {
  for (;;) {
    const [newest] = await bench.parkings.list({ queue, limit: 1 });
    if (newest?.state === 'running') await rested(newest.id);
    else if (newest?.phase === 'park' && newest.parked > 0) {
      await bench.parkings.restore(newest.id, AT_FULL_SPEED);
      await rested(newest.id);
    } else {
      // A queue that workers have emptied: parking nothing at full speed would keep others from their turn.
      if (newest?.parked === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      // While Redis is away none can be begun.
      await until('a parking is begun', () => bench.parkings.begin(parkRequest(queue)), { everyMs: 5 });
    }
  }
}

/** Until nothing is on disk any more: what Redis forgot of a restore is known once it is asked for it, seconds later. */
async function bringBack(queue: string): Promise<void> {
  for (;;) {
    const all = await bench.parkings.list({ queue, limit: 1_000 });
    const unconfirmed = new Set(await bench.store.jobs.unconfirmed());
    const rest = all.filter(({ state, remaining }) => state !== 'running' && remaining > 0);
    for (const { id } of rest) await bench.parkings.restore(id, AT_FULL_SPEED);
    for (const { id, state } of all)
      if (state === 'running' || rest.some((one) => one.id === id)) await rested(id);
    if (rest.length === 0 && all.every(({ id, state }) => state !== 'running' && !unconfirmed.has(id)))
      return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function rested(id: string): Promise<void> {
  const isResting = async (): Promise<boolean> => (await bench.parkings.get(id)).state !== 'running';
  underWay += 1;
  await until('it rests', isResting, { withinMs: 120_000, everyMs: 5 });
  underWay -= 1;
}

function report(parkings: CrashState['parkings']): void {
  const replay: ReplayView | null = replays.list()[0] ?? null;
  const state: CrashState = {
    replay: replay && { state: replay.record.state, account: replay.account },
    underWay,
    parkings,
  };
  process.send?.(state);
}

/** A watch that has seen one queue, and the way to its Redis. */
function watchOf(redisPort: number, queueId: string): Pick<Watch, 'snapshot' | 'link'> {
  const name = queueId.slice(queueId.lastIndexOf(':') + 1);
  const snapshot = aSnapshot({ queues: [aQueue({ id: queueId, name })] });
  const url = `redis://127.0.0.1:${redisPort}`;
  const link = {
    connectMore: (connectionName: string, commandTimeoutMs: number): Redis => {
      const client = connect({ kind: 'single', url }, { connectionName, commandTimeoutMs });
      if (!(client instanceof Redis)) throw new Error('one process was asked for');
      return client;
    },
  };
  return { snapshot: () => snapshot, link: () => link as ReturnType<Watch['link']> };
}
