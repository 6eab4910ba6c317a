import { performance } from 'node:perf_hooks';
import type { HealthProblem } from '../model/console-health.js';
import type { Actor } from '../model/role.js';
import type { WorkHealth } from '../process/every.js';
import type { Lease } from '../store/lease.js';
import type { Watch } from '../watch/watch.js';
import type { Channel } from './channels/channel.js';
import type { AlertSettings } from './channels/channel-settings.js';
import { createChannel } from './channels/create-channel.js';
import type { Delivery } from './channels/delivery.js';
import { DeadManSwitch } from './dead-man-switch.js';
import { HealthKeeper, type HealthStore, type StoreState } from './health-keeper.js';
import type { Notification } from './notification.js';
import { Outbox } from './outbox.js';
import type { OutboxStore } from './outbox-store.js';
import { testNotification } from './test-notification.js';

export interface MessagingDeps {
  readonly settings: AlertSettings;
  readonly store: HealthStore;
  readonly lease: Lease;
  readonly watch: Pick<Watch, 'snapshots'>;
  readonly now: () => number;
  readonly random: () => number;
  readonly newId: () => string;
  readonly warn: (message: string) => void;
  readonly onFault: (part: string, error: unknown) => void;
}

/** Everything that tells people, as the rest of the console sees it. */
export interface Messaging {
  readonly channels: readonly Channel[];
  readonly outbox: OutboxStore;
  /** For whatever else only one of several consoles may do. */
  readonly lease: Pick<Lease, 'isHeld'>;
  readonly deadMan: Pick<DeadManSwitch, 'state'> | null;
  /** Where the rule engine hands over what is to be told; durable once it resolves. */
  readonly notify: (notification: Notification) => Promise<void>;
  /** That somebody knows of what was told; durable once it resolves. */
  readonly notifyAcknowledged: (notification: Notification) => Promise<void>;
  /** Sends a test at once, past the outbox; null: there is no such channel. */
  readonly test: (channel: string, actor: Actor) => Promise<Delivery | null>;
  /** What is wrong with the console itself. */
  readonly problems: () => readonly HealthProblem[];
  readonly storeState: () => StoreState;
  /** How taking messages out of the store goes. */
  readonly outboxHealth: () => WorkHealth;
  readonly stop: () => Promise<void>;
}

/** Builds and starts it. Without channels it still keeps watch over the console itself. */
export function startMessaging(deps: MessagingDeps): Messaging {
  const { settings, store, lease, watch, now, random, newId, warn, onFault } = deps;
  const monotonicMs = () => performance.now();
  const sendDeps = { now, rules: settings.outgoing, publicUrl: settings.publicUrl };
  const channels = settings.channels.map((one) => createChannel(one, sendDeps));
  const outbox = new Outbox({ store: store.outbox, channels, lease, now, random, warn, onFault });
  const channelNames = channels.map(({ settings: { name } }) => name);
  const health = new HealthKeeper({ store, watch, channelNames, now });
  const deadMan =
    settings.deadManSwitch === null
      ? null
      : new DeadManSwitch({
          settings: settings.deadManSwitch,
          rules: settings.outgoing,
          isLeader: () => lease.isHeld(),
          problems: () => health.problems(),
          isSettled: () => health.isSettled(),
          now,
          monotonicMs,
          warn,
        });
  lease.onTaken(() => void outbox.onElected());
  if (lease.isHeld()) void outbox.onElected();
  outbox.start();
  health.start();
  deadMan?.start();
  return {
    channels,
    outbox: store.outbox,
    lease,
    deadMan,
    notify: (notification) => outbox.notify(notification),
    notifyAcknowledged: (notification) => outbox.acknowledge(notification),
    problems: () => health.problems(),
    storeState: () => health.storeState(),
    outboxHealth: () => outbox.health,
    async test(name, actor) {
      const channel = channels.find((one) => one.settings.name === name);
      if (!channel) return null;
      let delivery: Delivery = { ok: true };
      for (const status of channel.testStatuses) {
        if (!delivery.ok) break;
        delivery = await channel.send(
          testNotification(name, actor.name, status, { id: newId(), nowMs: now() }),
        );
      }
      await store.outbox.noteHealth(name, delivery.ok ? null : delivery.problem, now());
      return delivery;
    },
    async stop() {
      await deadMan?.stop();
      await outbox.stop();
      await health.stop();
    },
  };
}
