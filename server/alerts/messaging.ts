import { performance } from 'node:perf_hooks';
import { headlineOf } from '../model/brief.js';
import type { ChannelHealth } from '../model/console-health.js';
import { type HealthProblem, judgeHealth } from '../model/console-health.js';
import type { Actor } from '../model/role.js';
import { freshnessOf } from '../model/sight.js';
import type { WorkHealth } from '../process/every.js';
import { every, reasonOf } from '../process/every.js';
import type { Lease } from '../store/lease.js';
import { type StoreTrouble, storeTroubleOf, troubleInWords } from '../store/store-trouble.js';
import type { Watch } from '../watch/watch.js';
import type { Channel, Delivery } from './channels/channel.js';
import { createChannel } from './channels/index.js';
import type { AlertSettings } from './channels/settings.js';
import { DeadManSwitch } from './dead-man-switch.js';
import type { Notification } from './notification.js';
import { Outbox } from './outbox.js';
import type { OutboxStore } from './outbox-store.js';

const EVERY_MS = 5_000;

/** `on disk`: it was written at the last look. `in memory`: it could not be opened at the start. */
type StoreState = 'on disk' | 'in memory' | 'not written' | StoreTrouble;

/** The store, as far as its own health and messages go. */
interface HealthStore {
  readonly outbox: OutboxStore;
  /** Writes a little. @throws what keeps the store from being written. */
  readonly probe: (nowMs: number) => Promise<void>;
  /** Why nothing is kept on disk; null while it is. */
  readonly problem: string | null;
}

interface HealthDeps {
  readonly store: HealthStore;
  readonly watch: Pick<Watch, 'snapshots'>;
  /** Of those that are configured; what was configured once does not count. */
  readonly channelNames: readonly string[];
  readonly now: () => number;
}

/** Watches the console itself: does it read, write and deliver? Kept for pages, findings and the dead man's switch. */
class HealthKeeper {
  readonly #deps: HealthDeps;
  readonly #startedAtMs: number;
  readonly #loop = every(
    EVERY_MS,
    () => this.#turn().catch((error: unknown) => this.#noteTrouble(error)),
    () => undefined,
  );
  #wroteAtMs: number | null = null;
  #writeError: string | null = null;
  #trouble: StoreState | null = null;
  #channels: readonly ChannelHealth[] = [];
  #dueSinceMs: number | null = null;

  constructor(deps: HealthDeps) {
    this.#deps = deps;
    this.#startedAtMs = deps.now();
  }

  start(): void {
    this.#loop.start();
    void this.look();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  /** What is wrong now, by what is known: nothing is read for it. */
  problems(): readonly HealthProblem[] {
    const { watch, store, now } = this.#deps;
    const nowMs = now();
    return judgeHealth({
      nowMs,
      startedAtMs: this.#startedAtMs,
      blindInstances: watch
        .snapshots()
        .filter((snapshot) => !freshnessOf(snapshot, nowMs).isLive)
        .map(({ instance, link }) => ({ instance, lastReadAtMs: link.lastReadAtMs })),
      storeProblem: store.problem,
      wroteAtMs: this.#wroteAtMs,
      writeError: this.#writeError,
      channels: this.#channels,
      dueSinceMs: this.#dueSinceMs,
    });
  }

  /** How the store was at the last look, for /readyz. */
  storeState(): StoreState {
    return this.#deps.store.problem === null ? (this.#trouble ?? 'on disk') : 'in memory';
  }

  /** Has every instance been read, and the store been written, at least once? */
  isSettled(): boolean {
    const hasRead = this.#deps.watch.snapshots().every(({ link }) => link.lastReadAtMs !== null);
    return hasRead && this.#wroteAtMs !== null;
  }

  /** Tries the store and reads how channels do. Never throws; one at a time. */
  look(): Promise<void> {
    return this.#loop.run();
  }

  #noteTrouble(error: unknown): void {
    const trouble = storeTroubleOf(error);
    this.#trouble = trouble ?? 'not written';
    this.#writeError = trouble === null ? reasonOf(error) : troubleInWords(trouble);
  }

  async #turn(): Promise<void> {
    const { store, now, channelNames } = this.#deps;
    await store.probe(now());
    this.#wroteAtMs = now();
    this.#writeError = null;
    this.#trouble = null;
    this.#channels = (await store.outbox.health()).filter(({ channel }) => channelNames.includes(channel));
    this.#dueSinceMs = await store.outbox.dueSinceMs(channelNames, now());
  }
}

/** What the test button sends: marked as a test, and about nothing. */
function testNotification(
  channel: string,
  actor: string,
  status: 'firing' | 'resolved',
  ids: { readonly id: string; readonly nowMs: number },
): Notification {
  const { id, nowMs } = ids;
  const key = `spillway-test-${channel}`;
  return {
    id,
    groupKey: key,
    status,
    severity: 'info',
    instance: 'test',
    headline: headlineOf(channel, ': a test of this channel'),
    sinceMs: nowMs,
    alerts: [
      {
        fingerprint: key,
        alertId: key,
        rule: 'SpillwayTest',
        severity: 'info',
        subject: { instance: 'test', node: null, queue: null, type: null },
        status,
        startsAtMs: nowMs,
        endsAtMs: status === 'resolved' ? nowMs : null,
        headline: headlineOf(channel, ': a test of this channel'),
        cause: `${actor} has tested this channel.`,
        effect: 'Nothing is wrong.',
        action: 'Nothing needs to be done.',
        evidence: 'none: this is a test',
        runbookUrl: null,
      },
    ],
    firstRemedy: 'Nothing needs to be done',
    path: '/channels',
    createdAtMs: nowMs,
  };
}

interface MessagingDeps {
  readonly settings: AlertSettings;
  /** What links begin with; null: there are none. */
  readonly publicUrl: string | null;
  readonly store: HealthStore;
  readonly lease: Lease;
  readonly watch: Pick<Watch, 'snapshots'>;
  readonly now: () => number;
  readonly random: () => number;
  readonly newId: () => string;
  readonly warn: (message: string) => void;
  readonly onFault: (part: string, error: unknown) => void;
}

/** Everything that notifies people, as the rest of the console sees it. */
export interface Messaging {
  readonly channels: readonly Channel[];
  readonly outbox: OutboxStore;
  /** For whatever else only one of several consoles may do. */
  readonly lease: Pick<Lease, 'isHeld'>;
  readonly deadMan: Pick<DeadManSwitch, 'state'> | null;
  /** Where the rule engine hands over what people are to be notified of; durable once it resolves. */
  readonly notify: (notification: Notification) => Promise<void>;
  /** That somebody knows of what was sent; durable once it resolves. */
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
  const { settings, publicUrl, store, lease, watch, now, random, newId, warn, onFault } = deps;
  const monotonicMs = () => performance.now();
  const sendDeps = { now, rules: settings.outgoing, publicUrl };
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
