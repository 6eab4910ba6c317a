import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { replacedWorkers } from '../../server/watch/lost-workers.js';
import { aWorker, type WorkerOver } from '../support/fleet.js';
import { aQueue, aSnapshot, NOW_MS } from '../support/snapshot.js';

const gone = (id: string, lastSeenAgoMs: number, over: WorkerOver = {}) =>
  aWorker({
    id,
    isConnected: false,
    lastSeenAtMs: NOW_MS - lastSeenAgoMs,
    ...over,
    agent: { lastBeatAtMs: NOW_MS - lastSeenAgoMs, running: 2 },
  });
const there = (id: string, seenForMs: number, over: WorkerOver = {}) =>
  aWorker({ id, firstSeenAtMs: NOW_MS - seenForMs, ...over });
const pairs = (...workers: Parameters<typeof replacedWorkers>[0]) =>
  [...replacedWorkers(workers)].map(([id, by]) => `${id} by ${by.id}`);

describe('a worker that is gone is replaced', () => {
  it('once one of its name is heard on its queue that was not there before, best on its host', () => {
    expect(pairs(gone('a', 9_000), there('b', 1_000))).toEqual(['a by b']);
    expect(pairs(gone('a', 9_000), there('far', 2_000, { host: 'web-2' }), there('near', 1_000))).toEqual([
      'a by near',
    ]);
    expect(pairs(gone('a', 9_000), there('far', 2_000, { host: 'web-2' }))).toEqual(['a by far']);
  });

  it('by nobody who was there already, has another name, works on another queue, or has no agent', () => {
    const others = [
      there('old', 60_000),
      there('named', 1_000, { name: 'other' }),
      there('elsewhere', 1_000, { queueId: 'bull:other' }),
      there('outside', 1_000, { agent: null }),
    ];
    expect(pairs(gone('a', 9_000), ...others)).toEqual([]);
  });

  it('one for one: of two that are lost and one that came, one is still missed', () => {
    expect(pairs(gone('a', 9_000), gone('b', 8_000), there('c', 1_000))).toEqual(['a by c']);
  });

  it('by one that was lost too, whose place is then taken in turn', () => {
    const second = gone('b', 5_000, { firstSeenAtMs: NOW_MS - 20_000 });
    expect(pairs(gone('a', 30_000), second, there('c', 1_000))).toEqual(['a by b', 'b by c']);
  });

  it('by somebody of its own, whatever comes and goes', () => {
    const worker = fc.record({
      queueId: fc.constantFrom('bull:a', 'bull:b'),
      name: fc.constantFrom('x', null),
      isGone: fc.boolean(),
      firstMs: fc.nat(100),
      lastMs: fc.nat(100),
    });
    fc.assert(
      fc.property(fc.array(worker, { maxLength: 12 }), (made) => {
        const workers = made.map(({ isGone, firstMs, lastMs, ...over }, i) =>
          aWorker({
            id: `w${i}`,
            ...over,
            isConnected: !isGone,
            firstSeenAtMs: NOW_MS + Math.min(firstMs, lastMs),
            lastSeenAtMs: NOW_MS + lastMs,
          }),
        );
        const replaced = [...replacedWorkers(workers)];
        expect(new Set(replaced.map(([, by]) => by.id)).size).toBe(replaced.length);
        for (const [id, by] of replaced) {
          const one = workers.find((other) => other.id === id);
          expect(one).toMatchObject({ isConnected: false, queueId: by.queueId, name: by.name });
          expect(by.firstSeenAtMs).toBeGreaterThan(one?.lastSeenAtMs ?? Number.POSITIVE_INFINITY);
        }
      }),
    );
  });
});

it('a worker that is gone and replaced is still shown, with who has its place', () => {
  const replacedBy = { id: 'b', label: 'mailer@web-1' };
  const workers = [{ ...gone('a', 9_000), replacedBy }, there('b', 1_000)];
  const [judged] = aSnapshot({ queues: [aQueue({ name: 'emails' })], workers }).workers;
  expect(judged).toMatchObject({ verdict: 'crashed', replacedBy: { id: 'b' } });
  expect(judged?.sentence).toContain('mailer@web-1 has taken its place.');
});
