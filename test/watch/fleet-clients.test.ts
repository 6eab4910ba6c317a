import { describe, expect, it } from 'vitest';
import { readClientList, SeenClients } from '../../server/redis/clients.js';
import { MessageIntake } from '../../server/watch/agent-bounds.js';
import { Fleet } from '../../server/watch/fleet.js';
import { type LostWorker, LostWorkers, MAX_LOST } from '../../server/watch/lost-workers.js';
import { NOW_MS } from '../support/snapshot.js';

const beat = (atMs: number, address: string | null = null, id = 'w1'): string =>
  JSON.stringify({
    v: 1,
    kind: 'beat',
    seq: 1,
    agent: { id: `a-${id}`, host: 'web-1', pid: 1, version: '0.2.0', nodeVersion: 'v20' },
    atMs,
    workers: [
      {
        id,
        queue: 'bull:mail',
        name: 'mailer',
        attachedAtMs: atMs,
        concurrency: { deployed: 5, now: 5 },
        running: 1,
        address,
      },
    ],
  });
const client = (name: string): string => `id=1 addr=127.0.0.1:5 name=${name} age=1 idle=0 flags=P omem=0\n`;

function aFleet(lost = new LostWorkers(), intake = new MessageIntake()) {
  const told: string[] = [];
  const fleet = new Fleet(
    NOW_MS,
    ({ kind }) => told.push(kind),
    () => undefined,
    lost,
    intake,
  );
  const connected = (nowMs: number) => fleet.states(nowMs, () => [], true)[0]?.isConnected;
  return { fleet, told, connected };
}

it('a list of clients that is older than a worker’s first beat does not make it look gone', () => {
  const { fleet, told, connected } = aFleet();
  fleet.takeClients(readClientList(client('other')), NOW_MS);
  fleet.hear(beat(NOW_MS + 1_000), NOW_MS + 1_000);
  expect(connected(NOW_MS + 1_500)).toBe(true);
  // Silent now, and nobody has looked since: it may be either.
  expect(connected(NOW_MS + 4_000)).toBeNull();
  expect(fleet.wantsClients(NOW_MS + 4_000)).toBe(true);
  fleet.takeClients(readClientList(client('spillway:agent:a-w1')), NOW_MS + 4_100);
  expect(connected(NOW_MS + 4_200)).toBe(true);
  expect(fleet.wantsClients(NOW_MS + 4_200)).toBe(false);
  expect(told).toEqual([]);
  fleet.takeClients(readClientList(client('other')), NOW_MS + 5_000);
  expect(connected(NOW_MS + 5_100)).toBe(false);
  expect(told).toEqual(['worker.crashed']);
});

it('a list of clients that is too large leaves unknown who is connected, and is not asked for at each look', () => {
  const { fleet, told, connected } = aFleet();
  const seen = new SeenClients();
  fleet.hear(beat(NOW_MS), NOW_MS);
  fleet.takeClients(seen.take('single', client('spillway:agent:a-w1'), 1), NOW_MS + 100);
  seen.lose('single', 2);
  fleet.loseClients();
  expect(fleet.wantsClients(NOW_MS + 4_000)).toBe(true);
  expect(seen.isDue(3, true)).toBe(false);
  expect(connected(NOW_MS + 4_000)).toBeNull();
  expect(seen.workersOf('bull:mail')).toBeNull();
  expect(seen.isDue(62)).toBe(true);
  fleet.takeClients(seen.take('single', client('other'), 62), NOW_MS + 62_000);
  expect(connected(NOW_MS + 62_100)).toBe(false);
  expect(told).toEqual(['worker.crashed']);
});

it('a worker whose agent is away while its own connection is open is not taken for gone: its process lives', () => {
  const { fleet, told, connected } = aFleet();
  const own = `id=2 addr=10.0.0.7:4711 name=bull:${Buffer.from('mail').toString('base64')} age=9 idle=0 flags=b omem=0\n`;
  fleet.hear(beat(NOW_MS + 1_000, '10.0.0.7:4711'), NOW_MS + 1_000);
  // Overloaded: the agent took itself for deaf, has dropped its connection and has not come to make another.
  fleet.takeClients(readClientList(own), NOW_MS + 5_000);
  expect(connected(NOW_MS + 5_100)).toBe(true);
  expect(told).toEqual([]);
  fleet.takeClients(readClientList(own.replace('4711', '4712')), NOW_MS + 6_000);
  expect(connected(NOW_MS + 6_100)).toBe(false);
  expect(told).toEqual(['worker.crashed']);
});

it('whoever beats and was in no list of clients meanwhile is no worker that could be missed', () => {
  const { fleet, told } = aFleet();
  const isThere = (nowMs: number) => fleet.states(nowMs, () => [], true).length;
  for (let ms = 0; ms <= 4_000; ms += 1_000) fleet.hear(beat(NOW_MS + ms, null, 'forged'), NOW_MS + ms);
  fleet.takeClients(readClientList(client('other')), NOW_MS + 4_000);
  expect(isThere(NOW_MS + 5_000)).toBe(1);
  fleet.takeClients(readClientList(client('other')), NOW_MS + 8_000);
  expect(isThere(NOW_MS + 8_000)).toBe(0);
  expect(told).toEqual([]);
  expect(fleet.knows('a-forged')).toBe(true);
  expect(isThere(NOW_MS + 20_000)).toBe(0);
  expect(fleet.knows('a-forged')).toBe(false);
});

it('whoever was heard once while the channels are flooded, and was in no list of clients, is not missed either', () => {
  const intake = new MessageIntake();
  const { fleet, told, connected } = aFleet(new LostWorkers(), intake);
  const flood = (nowMs: number): void => {
    for (let i = 0; i < 30; i += 1) intake.admits('forged', false, nowMs);
  };
  flood(NOW_MS);
  fleet.hear(beat(NOW_MS, null, 'forged'), NOW_MS);
  fleet.takeClients(readClientList(client('other')), NOW_MS + 3_000);
  expect(fleet.states(NOW_MS + 3_000, () => [], true)).toEqual([]);
  fleet.hear(beat(NOW_MS + 4_000, null, 'real'), NOW_MS + 4_000);
  fleet.takeClients(readClientList(client('spillway:agent:a-real')), NOW_MS + 4_500);
  fleet.takeClients(readClientList(client('other')), NOW_MS + 11_000);
  expect(connected(NOW_MS + 11_000)).toBe(false);
  expect(told).toEqual(['worker.crashed']);
});

describe('a worker that is gone without a farewell', () => {
  const HOUR_MS = 3_600_000;
  /** Beats once at `atMs`, and is gone with the next list of clients. */
  function lose(fleet: Fleet, id: string, atMs: number): void {
    fleet.hear(beat(atMs, null, id), atMs);
    fleet.takeClients(readClientList(client('other')), atMs + 3_000);
    fleet.states(atMs + 3_000, () => [], true);
  }
  /** Whom it lists, with who has their place; each look a minute after the one before, as a console would for hours. */
  function listed(fleet: Fleet, fromMs: number, toMs: number): readonly string[] {
    for (let atMs = fromMs; atMs < toMs; atMs += 60_000) fleet.states(atMs, () => [], true);
    return fleet
      .states(toMs, () => [], true)
      .map(({ id, isConnected, replacedBy }) => `${id} ${isConnected} ${replacedBy?.id ?? '-'}`);
  }

  it('is missed for hours, shows no rates of a past, and is seen again when it beats again', () => {
    const { fleet } = aFleet();
    lose(fleet, 'w1', NOW_MS);
    expect(listed(fleet, NOW_MS + 3_000, NOW_MS + 5 * HOUR_MS)).toEqual(['w1 false -']);
    const [state] = fleet.states(NOW_MS + 5 * HOUR_MS, () => [], true);
    expect(state?.agent).toMatchObject({ finishedPerSecond: 0, finishedTrend: [], types: [] });
    const laterMs = NOW_MS + 5 * HOUR_MS + 1_000;
    fleet.hear(beat(laterMs), laterMs);
    expect(listed(fleet, laterMs, laterMs)).toEqual(['w1 true -']);
  });

  it('is missed until one that came later has its place, who takes no second one, also over a restart', () => {
    const kept = new Map<string, LostWorker>();
    const keep = (id: string, lost: LostWorker | null) => (lost ? kept.set(id, lost) : kept.delete(id));
    const { fleet } = aFleet(new LostWorkers(keep));
    for (const id of ['peer', 'w1']) fleet.hear(beat(NOW_MS, null, id), NOW_MS);
    lose(fleet, 'w2', NOW_MS);
    const comesMs = NOW_MS + 10_000;
    const beatAll = (into: Fleet, atMs: number): void => {
      into.hear(beat(comesMs, null, 'w3').replace(`"atMs":${comesMs}`, `"atMs":${atMs}`), atMs);
      into.takeClients(readClientList(client('spillway:agent:a-w3')), atMs);
    };
    beatAll(fleet, comesMs);
    expect(listed(fleet, comesMs, comesMs + 1_000)).toEqual([
      'w3 true -',
      'peer false w3',
      'w1 false -',
      'w2 false -',
    ]);
    beatAll(fleet, comesMs + HOUR_MS);
    expect(listed(fleet, comesMs + HOUR_MS, comesMs + HOUR_MS)).toEqual([
      'w3 true -',
      'w1 false -',
      'w2 false -',
    ]);
    const lost = new LostWorkers(keep);
    const second = aFleet(lost).fleet;
    second.recall(structuredClone([...kept.values()]));
    beatAll(second, comesMs + 2 * HOUR_MS);
    expect(listed(second, comesMs + 2 * HOUR_MS, comesMs + 2 * HOUR_MS)).toEqual([
      'w3 true -',
      'w1 false -',
      'w2 false -',
    ]);
    expect(second.dismiss('w1')).toBe(true);
    expect(second.dismiss('w3')).toBe(false);
    expect([...kept.keys()].sort()).toEqual(['peer', 'w2']);
  });

  it('is one of at most some hundred: of a crash loop with ever new names the first are forgotten', () => {
    const lost = new LostWorkers();
    const { fleet } = aFleet(lost);
    const named = (i: number) => beat(NOW_MS, null, `w${i}`).replace('"mailer"', `"mailer-${i}"`);
    for (let i = 0; i < MAX_LOST + 100; i += 1) fleet.hear(named(i), NOW_MS);
    fleet.takeClients(readClientList(client('other')), NOW_MS + 3_000);
    expect(listed(fleet, NOW_MS + 3_000, NOW_MS + HOUR_MS)).toHaveLength(MAX_LOST);
    expect(lost.has('w0')).toBe(false);
  });
});
