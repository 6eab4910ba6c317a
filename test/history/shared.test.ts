import { afterAll, beforeAll, expect, it } from 'vitest';
import { BACKLOG, type HistoryBench, SECOND_MS, START_MS, startHistory } from '../support/history.js';
import { aQueue } from '../support/snapshot.js';

/** Two consoles on one directory; the first holds the lease at first. */
let first: HistoryBench;
let second: HistoryBench;
let holder: 'first' | 'second' = 'first';
beforeAll(async () => {
  first = await startHistory({ mayWrite: () => holder === 'first' });
  second = await startHistory({ directory: first.directory, mayWrite: () => holder === 'second' });
});
afterAll(async () => {
  await second.stop();
  await first.stop();
});

const OTHERS = ['bull:a', 'bull:b', 'bull:c'].map((id) => aQueue({ id, name: id.slice(5), backlog: 7 }));

/** Both look at the same queues, each in its own order, as two pollers may. */
async function bothTick(seconds: number, backlog: number): Promise<void> {
  const mail = aQueue({ id: 'bull:mail', name: 'mail', backlog });
  for (let i = 0; i < seconds; i++) {
    await first.tick([mail, ...OTHERS]);
    await second.tick([...OTHERS, mail]);
    first.nowMs += SECOND_MS;
    second.nowMs += SECOND_MS;
  }
}

const seenBy = async ({ history, nowMs }: HistoryBench) =>
  (await history.read({ series: BACKLOG, fromMs: START_MS, toMs: nowMs, maxPoints: 1_000 })).mean;

it('of two consoles on one directory one keeps the history, the other shows it, and goes on where the first ended', async () => {
  await bothTick(100, 1);
  const others = await seenBy(second);
  // What the writer still holds in memory reaches the others within half a minute.
  expect(others.filter((value) => value === 1).length).toBeGreaterThanOrEqual(60);
  expect(others.every((value) => value === 1 || value === null)).toBe(true);

  holder = 'second';
  await bothTick(100, 2);
  const former = await seenBy(first);
  expect(former.every((value) => value === 1 || value === 2 || value === null)).toBe(true);
  expect(former.filter((value) => value === 2).length).toBeGreaterThanOrEqual(60);
  await second.stop();
  await second.reopen();
  const values = await seenBy(second);
  // A gap of what the first had not written when it lost the lease; never a value of another queue.
  expect(values.every((value) => value === 1 || value === 2 || value === null)).toBe(true);
  expect(values.filter((value) => value === 2).length).toBeGreaterThanOrEqual(95);
  expect(values.filter((value) => value === 1).length).toBeGreaterThanOrEqual(60);
});
