import { expect, it } from 'vitest';
import { readClientList } from '../../server/redis/clients.js';
import { Fleet } from '../../server/watch/fleet.js';
import { NOW_MS } from '../support/snapshot.js';

const beat = (atMs: number, address: string | null = null): string =>
  JSON.stringify({
    v: 1,
    kind: 'beat',
    seq: 1,
    agent: { id: 'a1', host: 'web-1', pid: 1, version: '0.2.0', nodeVersion: 'v20' },
    atMs,
    workers: [
      {
        id: 'w1',
        queue: 'bull:mail',
        attachedAtMs: atMs,
        concurrency: { deployed: 5, now: 5 },
        running: 1,
        address,
      },
    ],
  });
const client = (name: string): string => `id=1 addr=127.0.0.1:5 name=${name} age=1 idle=0 flags=P omem=0\n`;

function aFleet() {
  const told: string[] = [];
  const fleet = new Fleet(
    NOW_MS,
    ({ kind }) => told.push(kind),
    () => undefined,
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
  fleet.takeClients(readClientList(client('spillway:agent:a1')), NOW_MS + 4_100);
  expect(connected(NOW_MS + 4_200)).toBe(true);
  expect(fleet.wantsClients(NOW_MS + 4_200)).toBe(false);
  expect(told).toEqual([]);
  fleet.takeClients(readClientList(client('other')), NOW_MS + 5_000);
  expect(connected(NOW_MS + 5_100)).toBe(false);
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
