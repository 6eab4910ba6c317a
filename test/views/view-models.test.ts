import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../../server/actions/index.js';
import { knownAction } from '../../server/actions/request.js';
import { detectFindings } from '../../server/findings/index.js';
import { trackFindings } from '../../server/findings/track.js';
import { problemsByQueue } from '../../server/findings/trouble.js';
import { briefValue } from '../../server/model/brief.js';
import type { Finding } from '../../server/model/finding.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import { formatValue } from '../../server/model/format.js';
import type { MemoryForecast, Snapshot } from '../../server/model/snapshot.js';
import { errorGroup } from '../../server/replay/job-source.js';
import type { AppDeps } from '../../server/routes/app-deps.js';
import { argSpecs, typedOf, valueTyped } from '../../server/routes/pages/action-args.js';
import { argsOf, askOfForm, askOfLink } from '../../server/routes/pages/action-ask.js';
import { parseQueueQuery } from '../../server/routes/pages/queue-table.js';
import { verdictLineOf } from '../../server/routes/pages/verdict.js';
import type { Watch } from '../../server/watch/watch.js';
import { judgeRedis } from '../../views/band.js';
import { queueQueryString } from '../../views/links.js';
import { QueueHead } from '../../views/queue-head.js';
import { coarseAge, elementId, moment } from '../../views/words.js';
import { renderedRow, textIn } from '../support/rendered.js';
import { aNode, aQueue, aSnapshot, MB, NOW_MS, someRates } from '../support/snapshot.js';

const valuesOf = (query: string): Map<string, string[]> => {
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query))
    values.set(name, [...(values.get(name) ?? []), value]);
  return values;
};

const foundIn = (snapshot: Snapshot): readonly Finding[] =>
  trackFindings([], detectFindings(snapshot, NOW_MS, DEFAULT_THRESHOLDS), NOW_MS);

const aForecast = (over: Partial<MemoryForecast> = {}): MemoryForecast => ({
  growthBytesPerSecond: MB,
  growthRange: [MB, MB],
  fullInSeconds: 190,
  fullInRange: [180, 200],
  notKnown: null,
  windowMs: 60_000,
  ...over,
});

/** The headline of a console that watches this one Redis. */
const headline = (snapshot: Snapshot, firing = 0) =>
  verdictLineOf(
    {
      watch: { findings: () => foundIn(snapshot), snapshots: () => [snapshot] } as unknown as Watch,
      alerts: { firingCount: () => firing } as AppDeps['alerts'],
      thresholds: DEFAULT_THRESHOLDS,
    },
    NOW_MS,
  );

const cardOf = (snapshot: Snapshot, findings: readonly Finding[]) =>
  judgeRedis({
    snapshot,
    problem: findings.find(({ code }) => code.startsWith('redis.')) ?? null,
    nowMs: NOW_MS,
  });

describe('headline, card and rows are one judgement', () => {
  const judge = (over: Parameters<typeof aSnapshot>[0], firing = 0) => {
    const snapshot = aSnapshot(over);
    const findings = foundIn(snapshot);
    return {
      headline: headline(snapshot, firing),
      card: cardOf(snapshot, findings),
      rows: snapshot.queues.map((queue) =>
        renderedRow(queue, snapshot, {
          problem: problemsByQueue(findings)(snapshot.instance, queue.id),
        }),
      ),
    };
  };

  it('is not calm above a card that is not, beside an alert, or with thousands waiting', () => {
    const filling = judge({ nodes: [aNode({ countedBytes: 60 * MB, forecast: aForecast() })] });
    expect([filling.headline.state, filling.card.state]).toEqual(['critical', 'critical']);
    expect(judge({}, 1).headline).toMatchObject({ state: 'warning', text: '1 alert still firing' });
    const draining = aQueue({
      counts: { waiting: 5_506, active: 4 },
      rates: someRates({ departuresPerSecond: 100 }),
      drainSeconds: 55,
      lastDepartureAtMs: NOW_MS,
    });
    const late = judge({ queues: [draining] });
    expect(late.headline).toMatchObject({
      state: 'info',
      text: 'Nothing is wrong; 5,506 jobs still wait, for about 55 s',
    });
    expect(late.rows[0]).toMatchObject({ verdict: 'OK', state: 'calm' });
    expect(judge({}).headline.text).toBe('All clear');
  });

  it('never says that a Redis at half of its limit is full in no time at no growth', () => {
    const half = judge({
      nodes: [
        aNode({ countedBytes: 50 * MB, forecast: aForecast({ growthBytesPerSecond: 0, fullInSeconds: 0 }) }),
      ],
    });
    expect([half.headline.state, half.card.state, half.card.headline]).toEqual(['calm', 'calm', '50%']);
  });

  it('says first that Redis fills soon, whatever else is critical', () => {
    const nodes = [aNode({ countedBytes: 60 * MB, forecast: aForecast({ fullInSeconds: 149 }) })];
    const stuck = aQueue({ counts: { waiting: 90 }, lastDepartureAtMs: NOW_MS - 600_000 });
    const { headline: first, card } = judge({ nodes, queues: [stuck] });
    expect(first.text).toBe('Redis is full in 2 min');
    expect(card.verdict).toBe('Critical.');
  });

  it('is not red for the first seconds of a trend below half of the limit, nor right after an action', () => {
    const at = (bytes: number, windowMs: number, over = {}) =>
      judge({ nodes: [aNode({ countedBytes: bytes, forecast: aForecast({ windowMs }) })], ...over }).card;
    expect(at(40 * MB, 20_000).state).toBe('warning');
    expect(at(40 * MB, 60_000).state).toBe('critical');
    expect(at(60 * MB, 20_000).state).toBe('critical');
    const acted = at(60 * MB, 60_000, { actedAtMs: NOW_MS - 4_000 });
    expect([acted.state, acted.verdict]).toEqual(['warning', 'Warning. Settling after an action.']);
    expect(judge({ actedAtMs: NOW_MS - 4_000 }).headline.text).toContain('settling');
    expect(judge({ actedAtMs: NOW_MS - 11_000 }).headline.text).not.toContain('settling');
  });

  it('says that a forecast is not known instead of one number out of a wide range', () => {
    const notKnown = 'the trend of the last 20 s allows anything from 48 s to 2 h 54 min';
    const forecast = aForecast({ fullInSeconds: null, fullInRange: [48, 10_440], notKnown });
    const high = aSnapshot({ nodes: [aNode({ countedBytes: 85 * MB, forecast })] });
    expect(foundIn(high)[0]?.evidence).toContainEqual({
      name: 'full-in',
      label: 'full in',
      value: `not known: ${notKnown}`,
    });
  });

  it('says the age of the oldest that waits alike in card, row and on the queue’s page', () => {
    for (const ageMs of [21_900, 42_900, 133_000, 599_999, 3_700_000]) {
      const queue = aQueue({
        counts: { waiting: 900 },
        workers: 0,
        oldestWaitingAtMs: NOW_MS - ageMs,
        backlogSinceMs: NOW_MS - 4_000_000,
        firstSeenAtMs: NOW_MS - 4_000_000,
        rates: someRates({ arrivalsPerSecond: 5 }),
      });
      const snapshot = aSnapshot({ queues: [queue] });
      const [finding] = foundIn(snapshot);
      if (!finding) throw new Error('there are no workers');
      const oldest = renderedRow(queue, snapshot).cell('Oldest');
      const head = textIn(String(QueueHead({ queue, snapshot, problem: null, unread: null, canAct: false })));
      const told = finding.evidence.find(({ name }) => name === 'oldest-waited')?.value ?? '';
      expect(formatValue(told, 'seconds')).toBe(oldest);
      expect(head).toContain(`Oldest waiting ? ${oldest} `);
      expect(finding.effect).toContain(`the oldest for ${briefValue(told, 'seconds')}`);
    }
  });

  it('has no calm row where a finding about its queue is none', () => {
    const queue = aQueue({
      counts: { waiting: 40, active: 4 },
      rates: someRates({ departuresPerSecond: 10 }),
      lastDepartureAtMs: NOW_MS,
    });
    const problem = { severity: 'critical' as const, headline: 'track fails: 60% of its runs' };
    const row = renderedRow(queue, aSnapshot({ queues: [queue] }), { problem });
    expect(row).toMatchObject({ state: 'critical', problem: problem.headline });
    expect(row.verdict).not.toBe('OK');
  });
});

describe('errors in a look before a replay', () => {
  it('are one where they differ in numbers and ids only', () => {
    const errors = [63, 64, 65].map((id) => `monitor ${id} timed out after 1,500 ms\n  at run`);
    expect(new Set(errors.map(errorGroup))).toEqual(new Set(['monitor # timed out after # ms']));
    expect(errorGroup('no user 3f1c2b4e-1111-4a2b-9c3d-0123456789ab')).toBe('no user #');
    expect(errorGroup('decade of facade')).toBe('decade of facade');
    expect(errorGroup('x'.repeat(10_000))).toHaveLength(200);
  });
});

describe('the form of an action', () => {
  it('is made for every action from its own schema, and gives back the arguments it was filled with', () => {
    const examples: Readonly<Record<string, Record<string, unknown>>> = {
      'queue.concurrency': { value: 12 },
      'queue.rate-limit': { max: 5, durationMs: 60_000, isExact: false },
      'queue.trim-events': { keep: 100 },
      'queue.clean-finished': { state: 'failed', olderThanMs: 86_400_000, keep: 10 },
      'redis.raise-maxmemory': { maxBytes: 1536 * MB },
      'jobtype.threshold': { type: 'send digest', slowThresholdMs: 10_000 },
      'job.remove': { removeChildren: true },
      'workers.concurrency': { factor: 2, forMs: 600_000 },
      'queue.park': { jobType: 'send digest', state: 'waiting', most: 1_000 },
      'queue.unpark': { parking: 'p-1', ratePerSecond: 100, guard: true },
      sequence: {
        steps: [{ action: 'queue.trim-events', queues: ['bull:a'], args: { keep: 1 } }],
        roomBytes: MB,
      },
      'worker.concurrency': { value: 12 },
      'worker.limiter': { max: 5, durationMs: 2_000, asDeployed: false },
    };
    for (const action of ACTIONS) {
      const args = examples[action.name] ?? {};
      const back = Object.fromEntries(
        argSpecs(action).map((spec) => [spec.name, valueTyped(spec, typedOf(spec, args[spec.name]))]),
      );
      expect(back, action.name).toEqual(args);
      expect(action.parse(back).success, action.name).toBe(true);
    }
  });

  it('takes "no limit" as null, numbers with their thousands, and leaves a word for the action to refuse', () => {
    const [spec] = argSpecs(knownAction('queue.concurrency'));
    if (!spec) throw new Error('queue.concurrency has an argument');
    expect(valueTyped(spec, { text: '', unit: '', isNone: true })).toBeNull();
    expect(valueTyped(spec, { text: '1,200', unit: '', isNone: false })).toBe(1200);
    expect(valueTyped(spec, { text: 'many', unit: '', isNone: false })).toBe('many');
    expect(valueTyped(spec, { text: ' ', unit: '', isNone: false })).toBeUndefined();
  });

  it('carries queue ids of any characters through a form', () => {
    const action = knownAction('queue.pause');
    const id = 'bull:a\r\nb%&"<>';
    const ask = askOfForm(
      action,
      valuesOf(`instance=default&encodedQueues=${encodeURIComponent(encodeURIComponent(id))}`),
    );
    expect(ask.queues).toEqual([id]);
    const selected = askOfLink(
      action,
      valuesOf(`on=${encodeURIComponent(`default/${encodeURIComponent(id)}`)}`),
      [],
      () => ({}),
    );
    expect(selected).toMatchObject({ instance: 'default', queues: [id] });
  });

  it('refuses a selection over several Redises, and an address that leads elsewhere', () => {
    const action = knownAction('queue.pause');
    expect(() => askOfLink(action, valuesOf('on=a/bull:x&on=b/bull:y'), [], () => ({}))).toThrow('a and b');
    expect(() => askOfLink(action, valuesOf('instance=a&args=[1]'), [], () => ({}))).toThrow('args');
    expect(askOfForm(action, valuesOf('then=https://example.com')).goOn).toBeNull();
    expect(argsOf(askOfForm(action, valuesOf('instance=a')))).toEqual({});
  });
});

describe('addresses and words', () => {
  it('any address of the table gives a table', () => {
    expect(parseQueueQuery({ sort: 'nonsense', page: '-3', search: 'x'.repeat(999) })).toMatchObject({
      sort: 'trouble',
      page: 1,
    });
    const query = { search: 'a&b', sort: 'memory', page: 3 } as const;
    expect(parseQueueQuery(Object.fromEntries(new URLSearchParams(queueQueryString(query))))).toEqual(query);
  });

  it('ages change less often the older they are', () => {
    expect(coarseAge(42.9)).toBe('42 s');
    expect(coarseAge(199)).toBe('3 min 10 s');
    expect(coarseAge(Number.POSITIVE_INFINITY)).toBe('never');
  });

  it('a moment is shown in UTC, with its date when it is not of today', () => {
    expect(moment(NOW_MS, NOW_MS).text).toBe('03:04:05 UTC');
    expect(moment(NOW_MS - 3 * 86_400_000, NOW_MS).text).toBe('2025-12-30 03:04:05 UTC');
    expect(moment(Number.NaN, NOW_MS).iso).toBe('');
  });

  it('no name gets into the id of an element', () => {
    expect(elementId('queue', '"><script>')).toMatch(/^queue-[0-9a-f]{12}$/);
  });
});
