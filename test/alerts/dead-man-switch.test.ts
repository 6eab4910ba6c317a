import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeadManSwitch } from '../../server/alerts/dead-man-switch.js';
import { detectOwnFindings } from '../../server/findings/own-findings.js';
import { type HealthFacts, type HealthProblem, judgeHealth } from '../../server/model/console-health.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { NOW_MS } from '../support/snapshot.js';

let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.stop());

/** A switch whose console, lease and clock the test holds. */
function aSwitch(over: { failUrl?: string | null } = {}) {
  const world = {
    ms: 0,
    isLeader: true,
    isSettled: true,
    problems: [] as HealthProblem[],
    warnings: [] as string[],
  };
  const deadMan = new DeadManSwitch({
    settings: {
      url: `${receiver.url}/beat/5ecret-of-the-url`,
      failUrl: over.failUrl ?? null,
      everySeconds: 60,
      ca: null,
    },
    rules: { allow: [], deny: [] },
    isLeader: () => world.isLeader,
    isSettled: () => world.isSettled,
    problems: () => world.problems,
    now: () => NOW_MS + world.ms,
    monotonicMs: () => world.ms,
    warn: (message) => world.warnings.push(message),
  });
  return { deadMan, world };
}
const paths = () => receiver.received.map(({ method, path }) => `${method} ${path}`);
const BEAT = 'GET /beat/5ecret-of-the-url';
const blind: HealthProblem = {
  code: 'polling',
  subject: 'shop',
  text: 'the console has not read Redis shop for 20 s',
};

describe("the dead man's switch", () => {
  it('beats at even intervals while all is well', async () => {
    const { deadMan, world } = aSwitch();
    for (; world.ms <= 180_000; world.ms += 1_000) await deadMan.look();
    expect(paths()).toEqual([BEAT, BEAT, BEAT, BEAT]);
    expect(deadMan.state()).toEqual({ everySeconds: 60, lastBeatAtMs: NOW_MS + 180_000, problem: null });
  });

  it('falls silent while the console does not see, and says why; then beats again', async () => {
    const { deadMan, world } = aSwitch();
    await deadMan.look();
    world.problems = [blind];
    for (world.ms = 60_000; world.ms < 200_000; world.ms += 1_000) await deadMan.look();
    expect(paths()).toEqual([BEAT]);
    expect(deadMan.state().problem).toBe('no beat, as the console has not read Redis shop for 20 s');
    expect(world.warnings).toHaveLength(1);
    world.problems = [];
    world.ms = 300_000;
    await deadMan.look();
    expect(paths()).toEqual([BEAT, BEAT]);
    expect(deadMan.state().problem).toBeNull();
  });

  it('reports the failure where the service takes it', async () => {
    const { deadMan, world } = aSwitch({ failUrl: `${receiver.url}/beat/fail` });
    world.problems = [blind];
    await deadMan.look();
    expect(paths()).toEqual(['POST /beat/fail']);
    expect(receiver.received[0]?.body).toBe('Spillway: the console has not read Redis shop for 20 s');
  });

  it('says nothing before everything has been read and written once', async () => {
    const { deadMan, world } = aSwitch();
    world.isSettled = false;
    await deadMan.look();
    expect(paths()).toEqual([]);
    world.isSettled = true;
    world.ms = 1_000;
    await deadMan.look();
    expect(paths()).toEqual([BEAT]);
  });

  it('is left to the console that holds the lease; one whose store fails complains for itself', async () => {
    const { deadMan, world } = aSwitch({ failUrl: `${receiver.url}/fail` });
    world.isLeader = false;
    await deadMan.look();
    expect(paths()).toEqual([]);
    world.problems = [
      { code: 'store', subject: '', text: 'the store could not be written for 31 s (disk full)' },
    ];
    await deadMan.look();
    expect(paths()).toEqual(['POST /fail']);
  });

  it('tries a beat that did not arrive again soon, and reports its trouble without the address', async () => {
    const { deadMan, world } = aSwitch();
    receiver.answer((request, response) => void response.writeHead(503).end(`no ${request.path}`));
    await deadMan.look();
    expect(deadMan.state()).toMatchObject({
      lastBeatAtMs: null,
      problem: expect.stringMatching(/answered 503/),
    });
    expect(JSON.stringify([deadMan.state(), world.warnings])).not.toContain('5ecret');
    receiver.answer((_, response) => void response.end());
    for (world.ms = 1_000; world.ms <= 10_000; world.ms += 1_000) await deadMan.look();
    expect(paths()).toEqual([BEAT, BEAT]);
    expect(deadMan.state().problem).toBeNull();
  });
});

describe('the console itself', () => {
  const well: HealthFacts = {
    nowMs: NOW_MS,
    startedAtMs: NOW_MS - 600_000,
    blindInstances: [],
    storeProblem: null,
    wroteAtMs: NOW_MS - 5_000,
    writeError: null,
    channels: [],
    dueSinceMs: null,
  };
  const health = {
    channel: 'ops',
    lastSuccessAtMs: null,
    lastFailureAtMs: NOW_MS,
    lastError: 'answered 500',
  };
  const codes = (facts: Partial<HealthFacts>) => judgeHealth({ ...well, ...facts }).map(({ code }) => code);

  it.each([
    ['nothing', {}, []],
    ['a blink of the eye', { blindInstances: [{ instance: 'shop', lastReadAtMs: NOW_MS - 14_000 }] }, []],
    [
      'a Redis not read for 15 s',
      { blindInstances: [{ instance: 'shop', lastReadAtMs: NOW_MS - 15_000 }] },
      ['polling'],
    ],
    ['a Redis never read', { blindInstances: [{ instance: 'shop', lastReadAtMs: null }] }, ['polling']],
    ['a store in memory', { storeProblem: 'records can not be kept' }, ['store']],
    ['a store that was written 29 s ago', { wroteAtMs: NOW_MS - 29_000 }, []],
    ['a store that can not be written', { wroteAtMs: NOW_MS - 30_000, writeError: 'full' }, ['store']],
    ['a channel that failed twice', { channels: [{ ...health, failuresInRow: 2 }] }, []],
    ['a channel that fails', { channels: [{ ...health, failuresInRow: 3 }] }, ['channel']],
    ['a message due for a minute', { dueSinceMs: NOW_MS - 60_000 }, []],
    ['a message that nobody sends', { dueSinceMs: NOW_MS - 90_000 }, ['outbox']],
  ] as const)('with %s', (_, facts, expected) => {
    expect(codes(facts)).toEqual(expected);
  });

  it('reports its troubles as findings, also while it is blind', () => {
    const ownProblems = judgeHealth({
      ...well,
      wroteAtMs: NOW_MS - 60_000,
      writeError: 'disk I/O error',
      channels: [{ ...health, failuresInRow: 4 }],
    });
    const seen = detectOwnFindings(ownProblems, 'default');
    expect(seen.find(({ code }) => code === 'console.channels')).toMatchObject({
      severity: 'warning',
      headline: 'Alerts do not reach ops',
      detail: expect.stringContaining('answered 500'),
    });
    expect(seen.find(({ code }) => code === 'console.store')?.cause).toMatch(
      /^The store could not be written for 60 s/,
    );
    // They are no findings about a Redis: that one is blind makes none of them old.
    expect(seen.every(({ lastSeenAtMs }) => lastSeenAtMs === undefined)).toBe(true);
  });
});
