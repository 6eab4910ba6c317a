import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Channel } from '../../server/alerts/channels/channel.js';
import { type Delivery, passing, refusedDelivery } from '../../server/alerts/channels/channel.js';
import type { Notification } from '../../server/alerts/notification.js';
import { Outbox } from '../../server/alerts/outbox.js';
import type { Store } from '../../server/open-store.js';
import { OwnHealth } from '../../server/process/own-health.js';
import { aNotification } from '../support/notifications.js';
import { NOW_MS } from '../support/snapshot.js';
import { storesOfEachTest } from '../support/stores.js';
import { until } from '../support/until.js';

const stores = storesOfEachTest();
let store: Store;
const boxes: Outbox[] = [];

beforeEach(async () => {
  store = await stores.open();
});
afterEach(async () => {
  await Promise.all(boxes.splice(0).map((box) => box.stop()));
});

/** A channel whose answers the test gives, and which keeps what it was told. */
function aChannel(
  name: string,
  over: { readonly refreshEveryMs?: number; readonly takesAcknowledgements?: boolean } = {},
) {
  const told: Notification[] = [];
  const how = { answer: async (_: Notification): Promise<Delivery> => ({ ok: true }) };
  const channel: Channel = {
    settings: {
      type: 'slack',
      name,
      url: 'http://127.0.0.1/',
      minSeverity: 'info',
      instances: ['*'],
      ca: null,
    },
    takesAcknowledgements: over.takesAcknowledgements ?? false,
    refreshEveryMs: over.refreshEveryMs ?? null,
    testStatuses: ['firing'],
    send: (notification) => {
      told.push(notification);
      return how.answer(notification);
    },
  };
  return { channel, told, how, ids: () => told.map(({ id }) => id) };
}

/** A console's outbox that holds the lease, at a time that the test sets. */
async function aBox(
  channels: readonly { readonly channel: Channel }[],
  holder = 'a',
  onFault: (part: string, error: unknown) => void = () => undefined,
) {
  const clock = { ms: NOW_MS };
  const row = await store.leases.read('alerts');
  await store.leases.take('alerts', holder, row);
  const lease = { name: 'alerts', holder, isHeld: () => true };
  const box = new Outbox({
    store: store.outbox,
    channels: channels.map(({ channel }) => channel),
    lease,
    now: () => clock.ms,
    random: () => 0.5,
    warn: () => undefined,
    onFault,
  });
  boxes.push(box);
  return { box, clock };
}
const counts = () => store.outbox.counts();
const settled = (states: Partial<Awaited<ReturnType<typeof counts>>>) =>
  until(`the outbox holds ${JSON.stringify(states)}`, async () => {
    const now = await counts();
    return Object.entries(states).every(([state, count]) => Reflect.get(now, state) === count);
  });

describe('the outbox', () => {
  it('delivers to every channel, and is handed the same notification twice without sending it twice', async () => {
    const [a, b] = [aChannel('a'), aChannel('b')];
    const { box } = await aBox([a, b]);
    await box.notify(aNotification());
    await box.notify(aNotification());
    await settled({ sent: 2, pending: 0, sending: 0 });
    expect([a.ids(), b.ids()]).toEqual([['n-1'], ['n-1']]);
  });

  it('tries again, later each time, until it arrives, and then says that the channel works', async () => {
    const a = aChannel('a');
    const { box, clock } = await aBox([a]);
    a.how.answer = async () => passing('refuses connections');
    await box.notify(aNotification());
    for (let tries = 1; tries <= 4; tries += 1) {
      await until(`try ${tries}`, async () => {
        await box.look();
        return (await store.outbox.health())[0]?.failuresInRow === tries;
      });
      await settled({ pending: 1 });
      await box.look();
      expect(a.told).toHaveLength(tries);
      clock.ms += 60_000;
    }
    expect((await store.outbox.health())[0]).toMatchObject({ lastError: 'refuses connections' });
    a.how.answer = async () => ({ ok: true });
    clock.ms += 60_000;
    await until('it arrives', async () => {
      await box.look();
      return (await counts()).sent === 1;
    });
    expect((await store.outbox.health())[0]).toMatchObject({
      failuresInRow: 0,
      lastError: 'refuses connections',
    });
  });

  it('leaves a channel alone for as long as it asks, and no other', async () => {
    const [a, b] = [aChannel('a'), aChannel('b')];
    const { box, clock } = await aBox([a, b]);
    a.how.answer = async () => passing('answered 429', 120_000);
    await box.notify(aNotification());
    await settled({ sent: 1, pending: 1 });
    a.how.answer = async () => ({ ok: true });
    await box.notify(aNotification({ id: 'n-2', groupKey: 'another group' }));
    await until('the other is reported', () => b.told.length === 2);
    clock.ms += 119_000;
    await box.look();
    expect(a.told).toHaveLength(1);
    clock.ms += 2_000;
    await until('it is reported again', async () => {
      await box.look();
      return a.told.length === 3;
    });
  });

  it('keeps the order of a group, and lets no group wait for another', async () => {
    const a = aChannel('a');
    const { box, clock } = await aBox([a]);
    a.how.answer = async ({ id }) =>
      id === 'g1-firing' && clock.ms < NOW_MS + 100_000 ? passing('down') : { ok: true };
    await box.notify(aNotification({ id: 'g1-firing', groupKey: 'g1' }));
    await settled({ pending: 1 });
    await box.notify(aNotification({ id: 'g1-worse', groupKey: 'g1' }));
    await box.notify(aNotification({ id: 'g2-firing', groupKey: 'g2' }));
    await until('the other group is reported', () => a.ids().includes('g2-firing'));
    expect(a.ids()).not.toContain('g1-worse');
    clock.ms += 200_000;
    await box.look();
    await settled({ sent: 3 });
    expect(a.ids().slice(-2)).toEqual(['g1-firing', 'g1-worse']);
  });

  it('sends nobody as firing what is over before it could be sent: its end alone is sent', async () => {
    const a = aChannel('a');
    const { box, clock } = await aBox([a]);
    a.how.answer = async () => (clock.ms < NOW_MS + 100_000 ? passing('down') : { ok: true });
    await box.notify(aNotification({ id: 'g1-firing', groupKey: 'g1' }));
    await box.notify(aNotification({ id: 'g2-firing', groupKey: 'g2' }));
    await until('both were tried in vain', () => new Set(a.ids()).size === 2);
    await settled({ pending: 2, sending: 0 });
    await box.notify(aNotification({ id: 'g1-resolved', groupKey: 'g1', status: 'resolved' }));
    const before = a.ids().length;
    clock.ms += 200_000;
    await box.look();
    await settled({ sent: 2, pending: 0, sending: 0 });
    expect(a.ids().slice(before)).not.toContain('g1-firing');
    expect(a.ids().slice(before).sort()).toEqual(expect.arrayContaining(['g1-resolved', 'g2-firing']));
  });

  it('lets a channel that hangs hold up no other', async () => {
    const [a, b] = [aChannel('a'), aChannel('b')];
    const { box } = await aBox([a, b]);
    const hang: { end?: () => void } = {};
    a.how.answer = () =>
      new Promise((resolve) => {
        hang.end = () => resolve({ ok: true });
      });
    for (const id of ['n-1', 'n-2', 'n-3']) await box.notify(aNotification({ id, groupKey: id }));
    await until('the other has all', () => b.told.length === 3);
    expect(a.told).toHaveLength(1);
    a.how.answer = async () => ({ ok: true });
    hang.end?.();
    await settled({ sent: 6 });
  });

  it('goes on beside a channel that throws, tries that one again later, and reports it once, without its words', async () => {
    const [a, b] = [aChannel('a'), aChannel('b')];
    // A mistake of the console's own: it throws before there is anything to wait for.
    a.how.answer = () => {
      throw new TypeError('no address in https://hooks.example/secret');
    };
    const health = new OwnHealth({ now: () => NOW_MS, warn: () => undefined });
    const { box, clock } = await aBox([a, b], 'a', (part, error) => health.note(part, error));
    await box.notify(aNotification());
    await settled({ sent: 1, pending: 1 });
    for (const tries of [2, 3]) {
      clock.ms += 3_600_000;
      await until(`try ${tries}`, async () => {
        await box.look();
        return a.told.length === tries;
      });
      await settled({ sent: 1, pending: 1 });
    }
    expect(b.told).toHaveLength(1);
    expect(health.problems()).toMatchObject([{ code: 'fault', subject: 'channel a', count: 3 }]);
    expect(JSON.stringify([health.problems(), await store.outbox.health()])).not.toContain('secret');
    a.how.answer = async () => ({ ok: true });
    clock.ms += 3_600_000;
    await until('it arrives', async () => {
      await box.look();
      return (await counts()).sent === 2;
    });
  });

  it('gives up what is refused again and again, shows why, and sends it again when asked', async () => {
    const a = aChannel('a');
    const { box, clock } = await aBox([a]);
    a.how.answer = async () => refusedDelivery('answered 404: no_service');
    await box.notify(aNotification());
    await until('it is given up', async () => {
      clock.ms += 600_000;
      await box.look();
      return (await counts()).dead === 1;
    });
    const [dead] = await store.outbox.list(['dead'], 10);
    expect(dead).toMatchObject({
      channel: 'a',
      tries: 6,
      lastError: 'answered 404: no_service; refused 6 times',
    });
    a.how.answer = async () => ({ ok: true });
    expect(await store.outbox.resend(dead?.seq ?? -1, clock.ms)).toBe(true);
    expect(await store.outbox.resend(dead?.seq ?? -1, clock.ms)).toBe(false);
    await until('it arrives', async () => {
      await box.look();
      return (await counts()).sent === 1;
    });
    await settled({ sent: 1, dead: 0 });
  });

  it('sends what fires again and again where silence would end it, until it is over', async () => {
    const a = aChannel('a', { refreshEveryMs: 60_000 });
    const { box, clock } = await aBox([a]);
    await box.notify(aNotification());
    await settled({ standing: 1 });
    for (let round = 2; round <= 4; round += 1) {
      await box.look();
      expect(a.told).toHaveLength(round - 1);
      clock.ms += 60_000;
      await until(`round ${round}`, async () => {
        await box.look();
        return a.told.length === round;
      });
      await settled({ standing: 1 });
    }
    await box.notify(aNotification({ id: 'n-2', status: 'resolved' }));
    await settled({ sent: 2, standing: 0 });
    clock.ms += 600_000;
    await box.look();
    await settled({ sent: 2 });
    expect(a.ids()).toEqual(['n-1', 'n-1', 'n-1', 'n-1', 'n-2']);
  });

  it('does not let a refresh that fails hold up the news that it is over', async () => {
    const a = aChannel('a', { refreshEveryMs: 60_000 });
    const { box, clock } = await aBox([a]);
    await box.notify(aNotification());
    await settled({ standing: 1 });
    a.how.answer = async ({ status }) => (status === 'firing' ? passing('down') : { ok: true });
    clock.ms += 60_000;
    await until('a refresh fails', async () => {
      await box.look();
      return ((await store.outbox.health())[0]?.failuresInRow ?? 0) > 0;
    });
    await box.notify(aNotification({ id: 'n-2', status: 'resolved' }));
    await settled({ sent: 2, standing: 0, pending: 0 });
  });

  it('sends again, under the same id, what was in hand when its sender died', async () => {
    const a = aChannel('a');
    const dead = await aBox([a], 'first');
    a.how.answer = () => new Promise(() => undefined);
    await dead.box.notify(aNotification());
    await until('it is in hand', () => a.told.length === 1);
    boxes.length = 0;
    const b = aChannel('a');
    const next = await aBox([b], 'second');
    await next.box.look();
    await settled({ sent: 1 });
    expect([a.ids(), b.ids()]).toEqual([['n-1'], ['n-1']]);
  });

  it('lets nobody send or settle who has lost the lease without knowing it', async () => {
    const [a, free] = [aChannel('a'), aChannel('free')];
    const first = await aBox([a, free], 'first');
    const hang: { end?: (delivery: Delivery) => void } = {};
    a.how.answer = () =>
      new Promise((resolve) => {
        hang.end = resolve;
      });
    await first.box.notify(aNotification());
    await until('it is in hand', () => a.told.length === 1 && free.told.length === 1);
    await settled({ sent: 1, sending: 1 });
    const second = await aBox([aChannel('a'), aChannel('free')], 'second');
    await first.box.notify(aNotification({ id: 'n-2', groupKey: 'g2' }));
    await first.box.look();
    expect(await counts()).toMatchObject({ pending: 2, sending: 1, sent: 1 });
    // What the first had in hand is the second's by now: it sends it, and what the first says of it counts no more.
    await second.box.look();
    await settled({ sent: 4 });
    hang.end?.(passing('too late'));
    await first.box.stop();
    expect([a.ids(), free.ids()]).toEqual([['n-1'], ['n-1']]);
    expect(await counts()).toMatchObject({ sent: 4, pending: 0 });
  });

  it('lets no refresh that was in hand when its sender died hold up the news that it is over', async () => {
    const a = aChannel('a', { refreshEveryMs: 60_000 });
    const first = await aBox([a], 'first');
    await first.box.notify(aNotification());
    await settled({ standing: 1 });
    a.how.answer = () => new Promise(() => undefined);
    first.clock.ms += 60_000;
    await until('the refresh is in hand', async () => {
      await first.box.look();
      return a.told.length === 2;
    });
    boxes.length = 0;
    const b = aChannel('a', { refreshEveryMs: 60_000 });
    b.how.answer = async ({ status }) => (status === 'firing' ? passing('down') : { ok: true });
    const second = await aBox([b], 'second');
    second.clock.ms = first.clock.ms;
    await store.outbox.reclaim({ lease: 'alerts', holder: 'second' }, []);
    expect(await counts()).toMatchObject({ standing: 1, pending: 0 });
    await second.box.look();
    await until('its refresh fails', () => b.told.length === 1);
    await second.box.notify(aNotification({ id: 'n-2', status: 'resolved' }));
    await settled({ sent: 2, standing: 0, pending: 0 });
  });

  it('keeps names of every letter, and survives a restart', async () => {
    const strange = 'q\u0000"\u2028%;ü\ud83d';
    const a = aChannel('a');
    const { box } = await aBox([]);
    await box.notify(aNotification());
    expect(await counts()).toMatchObject({ pending: 0 });
    await store.outbox.add(aNotification({ id: 'n-9', groupKey: strange, headline: strange }), ['a'], 0);
    stores.closeAll();
    store = await stores.open();
    const again = await aBox([a]);
    await again.box.look();
    await settled({ sent: 1 });
    expect(a.told[0]?.groupKey).toBe(strange.toWellFormed() === strange ? strange : a.told[0]?.groupKey);
    expect(a.told[0]?.headline.startsWith('q\u0000"')).toBe(true);
  });

  it('stays bounded: the oldest of ten thousand that wait are given up, and few are kept', async () => {
    const channels = Array.from({ length: 100 }, (_, i) => `channel-${i}`);
    for (let i = 0; i < 106; i += 1)
      await store.outbox.add(aNotification({ id: `n-${i}`, groupKey: `g-${i}` }), channels, i);
    const now = await counts();
    expect(now.pending).toBe(10_000);
    expect(now.dead).toBe(500);
    expect((await store.outbox.list(['dead'], 1))[0]?.lastError).toMatch(/more than 10000 messages waited/);
  });

  it('gives up what waits for a channel that is no longer configured, and raises no alarm over it', async () => {
    await store.outbox.add(aNotification(), ['gone', 'a'], NOW_MS);
    expect(await store.outbox.dueSinceMs(['gone'], NOW_MS + 60_000)).toBe(NOW_MS);
    expect(await store.outbox.dueSinceMs(['other'], NOW_MS + 60_000)).toBeNull();
    const a = aChannel('a');
    const { box } = await aBox([a]);
    await box.onElected();
    await settled({ sent: 1, dead: 1, pending: 0 });
    expect((await store.outbox.list(['dead'], 1))[0]?.lastError).toMatch(/not configured any more/);
  });

  it('sends that somebody knows once, behind the alert, and only where that is taken and the alert was sent', async () => {
    const takes = { takesAcknowledgements: true };
    const [pager, late, chat] = [aChannel('pager', takes), aChannel('late', takes), aChannel('chat')];
    const { box, clock } = await aBox([pager, late, chat]);
    const known = (id: string) => aNotification({ id, status: 'acknowledged' });
    const statuses = (one: typeof pager) => one.told.map(({ status }) => status);
    await box.acknowledge(known('before-anything'));
    await store.outbox.add(aNotification(), ['pager', 'chat'], NOW_MS);
    pager.how.answer = async () => passing('down');
    await box.look();
    await settled({ sent: 1, pending: 1 });
    await box.acknowledge(known('k-1'));
    await box.acknowledge(known('k-1'));
    await box.acknowledge(known('of-another-alert-of-the-group'));
    pager.how.answer = async () => ({ ok: true });
    clock.ms += 60_000;
    await until('both are said', async () => {
      await box.look();
      return (await counts()).sent === 3;
    });
    expect(statuses(pager)).toEqual(['firing', 'firing', 'acknowledged']);

    // Over, and back: that is news, and to be acknowledged anew.
    await box.notify(aNotification({ id: 'n-over', status: 'resolved' }));
    await box.acknowledge(known('after-the-end'));
    await store.outbox.add(aNotification({ id: 'n-back' }), ['pager', 'chat'], clock.ms);
    await box.acknowledge(known('k-2'));
    await until('all is reported', async () => {
      await box.look();
      return statuses(pager).length === 6;
    });
    expect(statuses(pager).slice(3)).toEqual(['resolved', 'firing', 'acknowledged']);
    expect(statuses(late)).toEqual(['resolved']);
    expect(statuses(chat)).not.toContain('acknowledged');
  });

  it('sends what was put off before the clock was set back', async () => {
    const a = aChannel('a');
    const { box, clock } = await aBox([a]);
    a.how.answer = async () => passing('down');
    await box.notify(aNotification());
    await settled({ pending: 1 });
    a.how.answer = async () => ({ ok: true });
    clock.ms -= 30 * 24 * 3_600_000;
    await box.look();
    await settled({ sent: 1 });
  });
});
