import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { detectFindings } from '../../server/findings/index.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import { AgentMessageReader, readAgentMessage } from '../../server/redis/agent-messages.js';
import { readClientList } from '../../server/redis/clients.js';
import { readKeptMap, readKeptOrders } from '../../server/redis/overrides.js';
import { MessageIntake } from '../../server/watch/agent-bounds.js';
import { Fleet } from '../../server/watch/fleet.js';
import { LostWorkers } from '../../server/watch/lost-workers.js';
import { aSnapshot, NOW_MS } from '../support/snapshot.js';

const AGENT = { id: 'a1', host: 'web-1', pid: 1, version: '0.2.0', nodeVersion: 'v20' };
type Fields = Readonly<Record<string, unknown>>;

function aBeat(worker: Fields = {}, more: Fields = {}): string {
  const concurrency = { deployed: 5, now: 5 };
  const one = { id: 'w1', queue: 'bull:mail', attachedAtMs: NOW_MS, concurrency, running: 1, ...worker };
  return JSON.stringify({ v: 1, kind: 'beat', seq: 1, agent: AGENT, atMs: NOW_MS, ...more, workers: [one] });
}
const sketch = (bins: unknown): Fields => ({ bins, zero: 0, sum: 30, min: 10, max: 20 });
const runs = (bins: unknown): Fields => ({
  types: [{ name: 'send', completed: 2, failed: 0, run: sketch(bins) }],
});

describe('a beat', () => {
  it('with the run times of its job types is read', () => {
    expect(readAgentMessage(aBeat(runs([57, 1, 75, 1])))).toMatchObject({ kind: 'beat' });
  });

  it.each([
    ['a bin that is no whole number, which no sketch can take', runs([1.5, 1, 2.25, 3])],
    ['a bin without its count', runs([57])],
    ['a bin of no duration that there is', runs([1e9, 1])],
    ['a count below nothing', runs([57, -1])],
    ['bins that are no numbers', runs([57, '1'])],
    ['more bins than a sketch has', runs(Array.from({ length: 1_026 }, (_, i) => i))],
    ['bins that are no list', runs({ length: 2 })],
  ])('with %s is counted, and never reaches the sketches', (_, worker) => {
    const fleet = new Fleet(
      NOW_MS,
      () => undefined,
      () => undefined,
      new LostWorkers(),
      new MessageIntake(),
    );
    expect(() => fleet.hear(aBeat(worker), NOW_MS)).not.toThrow();
    expect(fleet.unreadable).toBe(1);
    expect(fleet.states(NOW_MS, () => [], true)).toEqual([]);
  });

  it('with a name of any length is read, and the name is shown short', () => {
    const long = 'n'.repeat(60_000);
    const type = { name: long, completed: 2, failed: 1, error: long };
    const oldest = [
      { jobId: long, type: long, startedAtMs: NOW_MS },
      { jobId: '7', type: long, startedAtMs: NOW_MS },
    ];
    const heard = readAgentMessage(aBeat({ types: [type], oldest, name: long }));
    const shortened = '(name of 60000 bytes)';
    expect(heard).toMatchObject({
      workers: [
        {
          name: long.slice(0, 300),
          types: [{ name: shortened, completed: 2, error: long.slice(0, 300) }],
          oldest: [{ jobId: '7', type: shortened }],
        },
      ],
    });
    expect(readAgentMessage(aBeat({ queue: `bull:${long}` }))).toMatchObject({ kind: 'beat', workers: [] });
  });

  it('that says a time which is no date is counted, as nobody could be shown it', () => {
    for (const atMs of [1e300, -1e300, -1]) expect(readAgentMessage(aBeat({}, { atMs }))).toBeNull();
    expect(readAgentMessage(aBeat({ lastStartedAtMs: 1e300 }))).toBeNull();
  });

  it('of whatever numbers never throws, and every time of it can be shown', () => {
    const odd = fc.oneof(
      fc.integer(),
      fc.double(),
      fc.constantFrom(0, -1, 1.5, 1e15, 1e16, -1e15, 8.64e15, 1e300, null, 'x', [], {}),
    );
    const numbers = fc.record({
      attachedAtMs: odd,
      running: odd,
      lastStartedAtMs: odd,
      concurrency: fc.record({ deployed: odd, now: odd }),
      guard: fc.record({ sinceMs: odd, times: odd }),
      wait: fc.oneof(
        fc.constant(null),
        fc.record({ bins: fc.array(odd), zero: odd, sum: odd, min: odd, max: odd }),
      ),
    });
    // Mostly honest beats with a few odd fields: wholly random ones are refused for the first of them.
    const some = numbers.chain((all) =>
      fc.subarray(Object.entries(all), { maxLength: 2 }).map((entries) => Object.fromEntries(entries)),
    );
    const binned = fc
      .array(
        fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 2_000 }) }, { weight: 1, arbitrary: odd }),
      )
      .map(runs);
    fc.assert(
      fc.property(some, binned, fc.oneof(fc.constant(NOW_MS), odd), (worker, types, atMs) => {
        const fleet = new Fleet(
          NOW_MS,
          () => undefined,
          () => undefined,
          new LostWorkers(),
          new MessageIntake(),
        );
        fleet.hear(aBeat({ ...types, ...worker }, { atMs }), NOW_MS);
        for (const { agent } of fleet.states(NOW_MS, () => [], true)) {
          const times = [agent?.attachedAtMs, agent?.lastStartedAtMs, agent?.guard.sinceMs];
          for (const time of times) if (time != null) new Date(time).toISOString();
          for (const { run } of agent?.types ?? []) expect(run?.p99Ms).not.toBeNaN();
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('overrides', () => {
  const order = (over: Fields = {}): Fields => ({
    id: 'o1',
    atMs: NOW_MS,
    queue: 'bull:mail',
    workers: null,
    scope: '*',
    setting: 'concurrency',
    value: 5,
    by: 'ana',
    reason: '',
    untilMs: null,
    ...over,
  });
  const kept = (...orders: readonly unknown[]): string =>
    JSON.stringify(
      Object.fromEntries(
        orders.map((one, i) => [`${i}|concurrency`, { v: 1, body: JSON.stringify(one), sig: null }]),
      ),
    );

  it('that can’t be read are left out, the others stand', () => {
    const raw = kept(
      order(),
      { id: 'o2' },
      order({ id: 'o3', atMs: 1e300 }),
      order({ id: 'o4', setting: 'all' }),
    );
    expect(readKeptOrders(raw, 'bull:mail', NOW_MS).map(({ orderId }) => orderId)).toEqual(['o1']);
    for (const bad of [null, '', '{', '[]', '7', '"x"'])
      expect(readKeptOrders(bad, 'bull:mail', NOW_MS)).toEqual([]);
  });

  it('are no more than fit, however many somebody has written there', () => {
    const many = kept(...Array.from({ length: 5_000 }, (_, i) => order({ id: `o${i}` })));
    expect(Object.keys(readKeptMap(many)).length).toBe(1_000);
    expect(readKeptMap(' '.repeat(2 * 1024 * 1024) + many)).toEqual({});
  });
});

describe('made-up workers', () => {
  const forgedTypes = Array.from({ length: 200 }, (_, i) => ({
    name: `forged-${i}`,
    completed: 1,
    failed: 0,
    // Two bins that far apart have all bins between them made.
    run: sketch([-150, 1, 830, 1]),
  }));

  it('hold no more together than what there is for all, whatever each of them may hold, and that is reported', () => {
    const intake = new MessageIntake();
    const fleet = new Fleet(
      NOW_MS,
      () => undefined,
      () => undefined,
      new LostWorkers(),
      intake,
    );
    const before = heapBytes();
    for (let i = 0; i < 250; i++)
      fleet.hear(aBeat({ id: `w${i}`, types: forgedTypes }, { agent: { ...AGENT, id: `a${i}` } }), NOW_MS);
    // 250 workers with 200 types of two sketches each: 290 MB without it.
    expect(heapBytes() - before).toBeLessThan(130 * 1024 * 1024);
    const overflow = intake.overflow(NOW_MS);
    expect(overflow?.workers).toBeGreaterThan(0);
    const snapshot = aSnapshot();
    const seen = { ...snapshot, hearing: { ...snapshot.hearing, overflow } };
    expect(detectFindings(seen, NOW_MS, DEFAULT_THRESHOLDS).map(({ code }) => code)).toContain(
      'console.agents-overflow',
    );
    // Who is gone makes room.
    fleet.takeClients(readClientList(''), NOW_MS);
    fleet.states(NOW_MS + 3_600_000, () => [], false);
    fleet.hear(aBeat({ id: 'new' }, { agent: { ...AGENT, id: 'new' } }), NOW_MS + 3_600_000);
    expect(fleet.knows('new')).toBe(true);
  });

  it('are read for a part of each second only, those that are known first', () => {
    const intake = new MessageIntake();
    const slow = (): void => {
      for (const endMs = performance.now() + 15; performance.now() < endMs; );
    };
    const read = { known: 0, newcomers: 0 };
    for (let i = 0; i < 60; i++) {
      const isKnown = i % 2 === 0;
      if (!intake.admits(`a${i}`, isKnown, NOW_MS)) continue;
      intake.timed(slow);
      read[isKnown ? 'known' : 'newcomers'] += 1;
    }
    expect(read.known).toBeGreaterThan(read.newcomers);
    expect(intake.overflow(NOW_MS)?.messages).toBeGreaterThan(0);
    expect(intake.overflow(NOW_MS + 61_000)).toBeNull();
  });
});

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

describe('beats that are read with a memory of those before', () => {
  const worker = fc.record(
    {
      id: fc.constantFrom('w1', 'w2', ''),
      queue: fc.constantFrom('bull:mail', 'bull:"workers":[', ''),
      attachedAtMs: fc.constantFrom(NOW_MS, -1),
      concurrency: fc.constant({ deployed: 5, now: 5 }),
      running: fc.constantFrom(0, 3),
      types: fc.constantFrom([], [{ name: 'send', completed: 1, failed: 0 }]),
    },
    { requiredKeys: ['id', 'queue', 'attachedAtMs', 'concurrency', 'running'] },
  );
  const head = fc.record(
    {
      v: fc.constantFrom(1, 2),
      kind: fc.constantFrom('beat', 'farewell', 'echo'),
      seq: fc.nat(3),
      agent: fc.constantFrom(AGENT, { ...AGENT, host: '"workers":[' }, { ...AGENT, workers: [] }),
      atMs: fc.constantFrom(NOW_MS, NOW_MS + 1_000, 'now'),
      resubscribed: fc.nat(2),
    },
    { requiredKeys: ['kind'] },
  );
  const after = fc.constantFrom({}, { seq: 9 }, { v: 2 }, { workers: [] });
  const parts = fc.record({ head, workers: fc.array(worker, { maxLength: 2 }), after });
  /** Of messages as they may be made up: parts of several, cut and put together. */
  const message = fc
    .tuple(parts, fc.constantFrom('', '}', ']', ',"seq":3}', '{"a":'))
    .map(([{ head, workers, after }, odd]) => {
      const rest = JSON.stringify(after).slice(1);
      const text = `${JSON.stringify(head).slice(0, -1)},"workers":${JSON.stringify(workers)}`;
      return (
        `${text}${rest === '}' ? '' : ','}${rest}`.replace(/^\{/, odd === '{"a":' ? '{"a":{' : '{') + odd
      );
    });

  it('say what each says by itself', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 2, maxLength: 12 }), (messages) => {
        const reader = new AgentMessageReader();
        for (const text of [...messages, ...messages])
          expect(reader.read(text)).toEqual(readAgentMessage(text));
      }),
      { numRuns: 500 },
    );
  });

  it('are of now, though an idle worker says the same as before', () => {
    const reader = new AgentMessageReader();
    const idle = { running: 0, types: [] };
    reader.read(aBeat(idle, { atMs: NOW_MS }));
    const next = aBeat(idle, { atMs: NOW_MS + 1_000, seq: 2, resubscribed: 1 });
    expect(reader.read(Buffer.from(next))).toEqual(readAgentMessage(next));
  });
});
