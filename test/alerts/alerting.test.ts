import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Alerting } from '../../server/alerts/alerting.js';
import { DEFAULT_GROUP_TIMING } from '../../server/alerts/grouping.js';
import type { Notification } from '../../server/alerts/notification.js';
import type { Store } from '../../server/open-store.js';
import type { TickListener } from '../../server/watch/watch.js';
import { aRule } from '../support/alerts.js';
import { aQueue, aSnapshot, NOW_MS } from '../support/snapshot.js';
import { storesOfEachTest } from '../support/stores.js';
import { until } from '../support/until.js';

const stores = storesOfEachTest();
let nowMs: number;
let depth: number;
const running: { alerting: Alerting; store: Store }[] = [];
beforeEach(() => {
  nowMs = NOW_MS;
  depth = 0;
});
afterEach(async () => {
  for (const { alerting } of running.splice(0)) await alerting.stop();
});

/** A console on the store of this test, whose ticks this test gives. */
async function aConsole(
  notify: (notification: Notification, store: Store) => Promise<void> = async () => undefined,
  holdsLease: () => boolean = () => true,
) {
  const store = await stores.open();
  const notified: Notification[] = [];
  let tick: TickListener = () => undefined;
  const snapshot = () =>
    aSnapshot({
      atMs: nowMs,
      link: { lastReadAtMs: nowMs },
      queues: [aQueue({ name: 'mail', counts: { waiting: depth } })],
    });
  const alerting = new Alerting({
    watch: {
      snapshots: () => [snapshot()],
      snapshot,
      findings: () => [],
      onTick: (listener) => {
        tick = listener;
        return () => {
          tick = () => undefined;
        };
      },
    },
    store: store.alerting,
    timeline: store.timeline,
    notify: async (notification) => {
      await notify(notification, store);
      notified.push(notification);
    },
    notifyAcknowledged: async () => undefined,
    holdsLease,
    fileRules: [aRule({ severity: 'critical', keepFiringMs: 5_000 })],
    timing: DEFAULT_GROUP_TIMING,
    pathOf: () => '/alerts',
    now: () => nowMs,
    newId: randomUUID,
    warn: () => undefined,
  });
  await alerting.start();
  running.push({ alerting, store });
  return {
    store,
    notified,
    alerting,
    /** Ticks, a second each, until something is so. */
    ticksUntil: (what: string, is: () => boolean | Promise<boolean>) =>
      until(
        what,
        async () => {
          nowMs += 1000;
          tick('default', nowMs);
          return is();
        },
        { everyMs: 20 },
      ),
    async ticks(count: number) {
      for (let i = 0; i < count; i++) {
        nowMs += 1000;
        tick('default', nowMs);
        // The work of a tick is a few writes; a turn of the loop for each.
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    },
  };
}

it('what fires is on disk before anybody is notified, and so is its end', async () => {
  const seen: string[] = [];
  const console_ = await aConsole(async ({ alerts }, store) => {
    const open = await store.alerting.alerts.open();
    seen.push(...alerts.map(({ alertId }) => open.find(({ id }) => id === alertId)?.state ?? 'not kept'));
  });
  depth = 200;
  await console_.ticksUntil('it is notified', () => console_.notified.length === 1);
  expect(seen).toEqual(['firing']);
  expect(console_.notified[0]).toMatchObject({
    status: 'firing',
    severity: 'critical',
    headline: 'mail: Too deep',
    path: '/alerts',
    alerts: [{ cause: 'Backlog is 200, above 100.', evidence: '200 jobs' }],
  });
  depth = 0;
  await console_.ticksUntil('its end is notified', () => console_.notified.length === 2);
  expect(console_.notified[1]).toMatchObject({
    status: 'resolved',
    groupKey: console_.notified[0]?.groupKey,
  });
  const kinds = (await console_.store.timeline.list({ limit: 10 })).map(({ kind }) => kind);
  expect(kinds).toEqual(['alert.resolved', 'alert.firing']);
});

it('a console that is killed after it notified does not notify again, but of the end', async () => {
  const first = await aConsole();
  depth = 200;
  await first.ticksUntil('it is notified', () => first.notified.length === 1);
  await first.alerting.stop();
  const second = await aConsole();
  await second.ticks(20);
  expect(second.notified).toEqual([]);
  expect(second.alerting.openNow()).toMatchObject([{ state: 'firing', notified: { status: 'firing' } }]);
  depth = 0;
  await second.ticksUntil('its end is notified', () => second.notified.length === 1);
  expect(second.notified[0]?.status).toBe('resolved');
});

it('a message that could not be handed over is tried again under the same id, by the next console too', async () => {
  const tried: string[] = [];
  const refuse = async ({ id }: Notification): Promise<void> => {
    tried.push(id);
    throw new Error('the outbox is full');
  };
  const first = await aConsole(refuse);
  depth = 200;
  await first.ticksUntil('it was tried', () => tried.length >= 2);
  await first.alerting.stop();
  const second = await aConsole();
  await second.ticksUntil('it is notified', () => second.notified.length === 1);
  expect(new Set([...tried, second.notified[0]?.id]).size).toBe(1);
});

it('of two consoles the one that holds the lease judges, and the other goes on where it left off', async () => {
  let holder = 'one';
  const one = await aConsole(undefined, () => holder === 'one');
  const two = await aConsole(undefined, () => holder === 'two');
  depth = 200;
  await one.ticksUntil('one notifies', () => one.notified.length === 1);
  await two.ticks(10);
  expect(two.notified).toEqual([]);
  expect(await two.alerting.open()).toMatchObject([{ state: 'firing' }]);
  const [alert] = await two.alerting.open();
  await two.alerting.acknowledge(alert?.id ?? '', { actor: 'ann', atMs: nowMs, reason: '' });
  await one.ticksUntil('one knows of it', () => one.alerting.openNow()[0]?.acknowledged?.actor === 'ann');
  holder = 'two';
  await one.ticks(2);
  await two.ticks(5);
  depth = 0;
  await two.ticksUntil('two notifies of the end', () => two.notified.length === 1);
  expect(two.notified[0]?.status).toBe('resolved');
  expect(one.notified).toHaveLength(1);
});

it('a default that was deleted or edited stays so after a restart', async () => {
  const first = await aConsole();
  const by = { actor: 'ann', atMs: NOW_MS };
  const kept = first.alerting.rules().find(({ rule }) => rule.id === 'redis-full');
  if (!kept) throw new Error('no default');
  await first.store.alerting.rules.put({ ...kept.rule, forMs: 99_000 }, by);
  await first.store.alerting.rules.remove('queue-growing', by);
  const second = await aConsole();
  const rules = new Map(second.alerting.rules().map(({ rule }) => [rule.id, rule]));
  expect(rules.get('redis-full')?.forMs).toBe(99_000);
  expect(rules.has('queue-growing')).toBe(false);
  expect(rules.has('redis-filling')).toBe(true);
});
