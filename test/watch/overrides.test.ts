import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Order } from '../../agent/protocol.js';
import type { QueueState } from '../../server/model/snapshot.js';
import type { Override, WorkerState } from '../../server/model/worker.js';
import { openStore } from '../../server/open-store.js';
import { Overrides } from '../../server/watch/overrides.js';
import { anOrder } from '../support/agent-ear.js';
import { aWorker } from '../support/fleet.js';
import { aQueue, NOW_MS } from '../support/snapshot.js';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-standing-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const order = anOrder({ setting: 'concurrency', value: 7, id: 'one', atMs: NOW_MS - 60_000 });
const kept = { ...order, orderId: order.id } as unknown as Override;
const asOf = (readAtMs: number, overrides: readonly Override[]): QueueState =>
  aQueue({ id: 'bull:work', overrides, readAtMs });
const later = (override: Override = kept): WorkerState =>
  aWorker({
    id: 'later',
    queueId: 'bull:work',
    agent: { asksForOrders: true, overrides: [{ ...override, refusal: null, isFollowed: false }] },
  });

/** A console that begins with this directory, looks as often as it is told, and ends. */
async function console(
  work: (
    standing: Overrides,
    look: (queue: QueueState, worker: WorkerState) => Promise<readonly Order[]>,
  ) => Promise<void>,
): Promise<void> {
  const store = await openStore(directory);
  const sent: Order[] = [];
  let nowMs = NOW_MS;
  const standing = new Overrides({
    instance: 'main',
    store: store.givenOrders,
    send: async (_queue, given) => void sent.push(given),
    newId: () => 'nonce',
    now: () => nowMs,
    onFault: (error) => {
      throw error;
    },
  });
  await work(standing, async (queue, worker) => {
    nowMs = queue.readAtMs;
    await standing.look({ queues: [queue], workers: [worker] });
    return sent.splice(0);
  });
  store.close();
}

it('are given to workers that come later by a console that was away, until they were seen to stand no more', async () => {
  await console(async (standing) => {
    await standing.given([order]);
  });
  await console(async (_standing, look) => {
    const [given] = await look(asOf(NOW_MS + 10_000, [kept]), later());
    expect(given).toMatchObject({ id: 'one', value: 7, workers: ['later'], nonce: 'nonce' });
    // The same id saying something else is not what was given.
    expect(await look(asOf(NOW_MS + 20_000, [kept]), later({ ...kept, scope: 'other@web' }))).toEqual([]);
  });
  // Taken away by somebody else while no console looked, and put back after one has.
  await console(async (_standing, look) => {
    await look(asOf(NOW_MS + 30_000, []), later());
    expect(await look(asOf(NOW_MS + 40_000, [kept]), later())).toEqual([]);
  });
  await console(async (_standing, look) => {
    expect(await look(asOf(NOW_MS + 50_000, [kept]), later())).toEqual([]);
  });
});

it('are forgotten at once where an action takes them away, and noted again where it puts them back', async () => {
  await console(async (standing, look) => {
    await standing.given([order]);
    const known = await standing.takenAway(['one', 'another']);
    expect(known).toEqual([order]);
    expect(await look(asOf(NOW_MS + 10_000, [kept]), later())).toEqual([]);
    await standing.given(known);
    expect(await look(asOf(NOW_MS + 20_000, [kept]), later())).toHaveLength(1);
  });
});
