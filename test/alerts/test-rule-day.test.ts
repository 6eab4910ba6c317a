import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import type { Snapshot } from '../../server/model/snapshot.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { HOUR_MS, MINUTE_MS, SECOND_MS, startHistory } from '../support/history.js';
import { aQueue, aSnapshot } from '../support/snapshot.js';

/** A console that reads every twenty seconds. */
const TICK_MS = 20 * SECOND_MS;
/** Minutes of the day, which ends about now. */
const DEEP = [
  [120, 130],
  [480, 484],
  [1300, 1330],
] as const;
const BURST = [720, 720 + 20 / 60] as const;
const OLD = [780, 1080] as const;
const DOWN = [840, 960] as const;
const BLIND = [1020, 1050] as const;

let redis: OwnRedis;
let console_: RunningConsole;
let directory: string;
let startMs: number;

/** The real store, written by a console of yesterday whose clock the test moves. */
async function writeDay(untilMs: number): Promise<void> {
  const bench = await startHistory({ directory, nowMs: startMs });
  for (; bench.nowMs < untilMs; bench.nowMs += TICK_MS) {
    const minute = (bench.nowMs - startMs) / MINUTE_MS;
    const isIn = ([from, to]: readonly [number, number]): boolean => minute >= from && minute < to;
    if (isIn(DOWN)) continue;
    const isDeep = DEEP.some(isIn) || isIn(BURST);
    const mail = aQueue({
      id: 'bull:mail',
      name: 'mail',
      backlog: isDeep ? 500 : 1,
      oldestWaitingAtMs: isIn(OLD) ? startMs + OLD[0] * MINUTE_MS - HOUR_MS : null,
    });
    const web = aQueue({ id: 'bull:web', name: 'web', backlog: 1, oldestWaitingAtMs: null });
    const { poll } = aSnapshot();
    const over: Partial<Snapshot> = { poll: { ...poll, intervalMs: TICK_MS } };
    const { link } = aSnapshot({
      link: isIn(BLIND)
        ? { status: 'unreachable', lastReadAtMs: bench.nowMs - HOUR_MS }
        : { lastReadAtMs: bench.nowMs },
    });
    await bench.tick([mail, web], { ...over, link });
  }
  await bench.history.stop();
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-rule-day-'));
  startMs = Math.floor((Date.now() - 24 * HOUR_MS) / MINUTE_MS) * MINUTE_MS + 10 * MINUTE_MS;
  await writeDay(Date.now());
  redis = await startRedis();
  console_ = await startConsole({ redisUrl: redis.url, dataDirectory: directory });
}, 240_000);
afterAll(async () => {
  await console_?.stop();
  await redis?.stop();
  await rm(directory, { recursive: true, force: true });
});

const over = (threshold: number, signal = 'queue_backlog_jobs') => ({
  kind: 'compare',
  signal,
  is: 'above',
  threshold,
});
async function tested(condition: object, forSeconds = 120) {
  const rule = { name: 'Tried', severity: 'warning', condition, forSeconds, keepFiringSeconds: 0 };
  const { status, body } = await console_.ask('POST', '/api/v1/alert-rules/test', rule);
  expect(status).toBe(200);
  return body;
}
const minuteOf = (time: string | null) =>
  time === null ? null : Math.round((Date.parse(time) - startMs) / MINUTE_MS);
const timesOf = ({ firings }: { firings: { firedAt: string; resolvedAt: string | null }[] }) =>
  firings.map(({ firedAt, resolvedAt }) => [minuteOf(firedAt), minuteOf(resolvedAt)]).reverse();

it('a rule over what the store holds of the day fires as often, when and for whom it was so', async () => {
  const test = await tested(over(100));
  expect(timesOf(test)).toEqual([
    [122, 130],
    [482, 484],
    [1302, 1330],
  ]);
  expect(new Set(test.firings.map(({ subject }: { subject: { queue: string } }) => subject.queue))).toEqual(
    new Set(['bull:mail']),
  );
  expect(test).toMatchObject({ isTested: true, times: 3, seriesTested: 2, isPartial: false });
  expect(test.summary).toContain('would have fired 3 times for 1 subject in the last day');
});

it('a rule that waits for nothing also fires for a burst that its minute hides', async () => {
  expect(timesOf(await tested(over(100), 0)).map(([from]) => from)).toEqual([120, 480, 720, 1300]);
});

it('while the console was down or blind nothing is counted, nothing ends, and that is said', async () => {
  const test = await tested(over(300, 'queue_oldest_waiting_seconds'));
  expect(timesOf(test)).toEqual([[782, 1080]]);
  const unseenMinutes = DOWN[1] - DOWN[0] + (BLIND[1] - BLIND[0]);
  // The day begins ten minutes before the first tick, and the console took a while to start.
  expect(test.unseenSeconds / 60).toBeGreaterThan(unseenMinutes - 2);
  expect(test.unseenSeconds / 60).toBeLessThan(unseenMinutes + 20);
  expect(test.summary).toMatch(/of which 2 h \d+ min was not seen and is not counted/);
});

it('what history does not keep is said to be untestable, and not to be quiet', async () => {
  const silent = await tested(over(300, 'queue_silent_seconds'));
  expect(silent).toMatchObject({ isTested: false, times: 0 });
  expect(silent.summary).toContain('queue_silent_seconds is not kept in history');
  const absent = await tested({
    kind: 'absent',
    signal: 'queue_active_jobs',
    whileSignal: 'queue_waiting_jobs',
    whileAbove: 0,
  });
  expect(absent.summary).toContain('queue_waiting_jobs is not kept in history');
});
