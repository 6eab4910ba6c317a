import type { Severity } from '../model/finding.js';
import { globMatcher } from '../model/text.js';
import { every, reasonOf, type WorkHealth } from '../process/every.js';
import type { Fence } from '../store/database.js';
import type { Lease } from '../store/lease.js';
import type { Channel } from './channels/channel.js';
import { type Delivery, passing } from './channels/channel.js';
import type { ChannelSettings } from './channels/settings.js';
import type { Notification } from './notification.js';
import type { OutboxStore } from './outbox-store.js';
import type { OutboxEntry } from './outbox-tables.js';

const FIRST_DELAY_MS = 2_000;
const MAX_DELAY_MS = 15 * 60_000;
/** News of the day, not of the week. */
const MAX_AGE_MS = 24 * 3_600_000;
const MAX_TRIES = 120;
/** A receiver that says no may be in the middle of a deploy; it is asked this often, over about a minute and a half. */
const MAX_REFUSALS = 6;

type RetryPlan =
  | { readonly kind: 'again'; readonly atMs: number }
  | { readonly kind: 'dead'; readonly reason: string };

/**
 * What becomes of a message that could not be delivered: tried again after 2 s, 4 s, 8 s … up to 15 min, each time spread
 * over half to the whole of it so that many do not come at once; not before the receiver's own Retry-After.
 * @param tries so far, this one included.
 * @param random 0 ≤ x < 1.
 */
export function planRetry(
  failure: Extract<Delivery, { ok: false }>,
  { tries, createdAtMs }: { readonly tries: number; readonly createdAtMs: number },
  nowMs: number,
  random: number,
): RetryPlan {
  if (failure.kind === 'refused' && tries >= MAX_REFUSALS)
    return { kind: 'dead', reason: `refused ${tries} times` };
  if (tries >= MAX_TRIES) return { kind: 'dead', reason: `failed ${tries} times` };
  const backoffMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(30, tries - 1));
  const delayMs = Math.max(backoffMs * (0.5 + random / 2), failure.retryAfterMs ?? 0);
  const atMs = Math.round(nowMs + delayMs);
  if (atMs - createdAtMs >= MAX_AGE_MS) return { kind: 'dead', reason: 'not delivered within 24 h' };
  return { kind: 'again', atMs };
}

const WEIGHT: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 };

/** Names of the channels that a notification goes to: severe enough, and of an instance that the channel asks for. */
export function channelsFor(
  { severity, instance, alerts }: Pick<Notification, 'severity' | 'instance' | 'alerts'>,
  channels: readonly Pick<ChannelSettings, 'name' | 'minSeverity' | 'instances'>[],
): readonly string[] {
  // The worst in it: a group whose one critical alert is over must reach whoever was notified of it.
  const weight = Math.max(WEIGHT[severity], ...alerts.map((alert) => WEIGHT[alert.severity]));
  return channels
    .filter(({ minSeverity }) => weight >= WEIGHT[minSeverity])
    .filter(({ instances }) => instances.some((glob) => globMatcher(glob)(instance)))
    .map(({ name }) => name);
}

/** How often the holder looks for what has become due. */
const LOOK_EVERY_MS = 1_000;
/** What stands is sent again at most this long: a group that nobody speaks of any more must end some day. */
const STANDING_FOR_MS = 7 * 24 * 3_600_000;
/** Waits between tries to send it again grow up to this one: half a minute. */
const REPEAT_BACKOFF_TRIES = 5;

interface OutboxDeps {
  readonly store: OutboxStore;
  readonly channels: readonly Channel[];
  readonly lease: Pick<Lease, 'isHeld' | 'name' | 'holder'>;
  readonly now: () => number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly warn: (message: string) => void;
  /** Called where a channel throws, which is a mistake of the console's own. */
  readonly onFault: (part: string, error: unknown) => void;
}

/**
 * Everything that is to be sent, on disk before anything is sent. All consoles add; the holder of the lease sends, one
 * message a channel at a time, so that a channel that hangs holds up no other. A message is delivered at least once: after a
 * crash between sending and noting it, it goes out again under the same id.
 */
export class Outbox {
  readonly #deps: OutboxDeps;
  readonly #byName: ReadonlyMap<string, Channel>;
  readonly #fence: Fence;
  /** Messages in hand, by channel. */
  readonly #inHand = new Map<string, { readonly seq: number; readonly done: Promise<void> }>();
  /** Channels that asked to be left alone, and until when. */
  readonly #restUntilMs = new Map<string, number>();
  readonly #loop = every(
    LOOK_EVERY_MS,
    () => this.#turn(),
    (error) => this.#deps.warn(`the outbox can't be read or written: ${reasonOf(error)}`),
  );
  #isStopped = false;
  /** A look was asked for while one was under way, which may have passed by what is there since. */
  #isWanted = false;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
    this.#byName = new Map(deps.channels.map((channel) => [channel.settings.name, channel]));
    this.#fence = { lease: deps.lease.name, holder: deps.lease.holder };
  }

  get health(): WorkHealth {
    return this.#loop.health();
  }

  /** Keeps a notification for every channel that it concerns; durable once this resolves. @throws what the store says. */
  async notify(notification: Notification): Promise<void> {
    const { store, channels, now } = this.#deps;
    const names = channelsFor(
      notification,
      channels.map(({ settings }) => settings),
    );
    await store.add(notification, names, now());
    void this.look();
  }

  /** The same for an acknowledgement; it goes where the alert went, if anybody there takes it. @throws what the store says. */
  async acknowledge(notification: Notification): Promise<void> {
    const { store, channels, now } = this.#deps;
    const names = channels.filter((one) => one.takesAcknowledgements).map(({ settings: { name } }) => name);
    if (names.length === 0) return;
    await store.addAcknowledgement(notification, names, now());
    void this.look();
  }

  start(): void {
    this.#loop.start();
  }

  /** For a console that has just got the lease: clears away what nobody would ever send, then looks. Never throws. */
  async onElected(): Promise<void> {
    await this.#deps.store
      .retire(this.#fence, [...this.#byName.keys()])
      .catch((error: unknown) => this.#deps.warn(`messages that nobody sends are kept: ${reasonOf(error)}`));
    await this.look();
  }

  /** Takes what is due and begins to send it. Never throws; resolves before what it began has ended. */
  look(): Promise<void> {
    this.#isWanted = true;
    return this.#loop.run();
  }

  /** Waits for what is in hand; nothing new is begun. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#loop.stop();
    await Promise.all([...this.#inHand.values()].map(({ done }) => done));
  }

  async #turn(): Promise<void> {
    const { store, lease, now } = this.#deps;
    if (this.#isStopped || !lease.isHeld()) return;
    this.#isWanted = false;
    const nowMs = now();
    const free = [...this.#byName.keys()].filter(
      (name) => !this.#inHand.has(name) && (this.#restUntilMs.get(name) ?? 0) <= nowMs,
    );
    await store.reclaim(
      this.#fence,
      [...this.#inHand.values()].map(({ seq }) => seq),
    );
    for (const entry of await store.claim(this.#fence, free, nowMs)) {
      const done = this.#send(entry)
        .catch((error: unknown) => {
          // Left in hand in the store; `reclaim` makes it due again.
          const words = error instanceof Error ? error.message : 'unknown reason';
          this.#deps.warn(`what became of message ${entry.seq} to ${entry.channel} was not kept: ${words}`);
        })
        .finally(() => {
          this.#inHand.delete(entry.channel);
          if (!this.#isStopped) setImmediate(() => void this.look());
        });
      this.#inHand.set(entry.channel, { seq: entry.seq, done });
    }
    if (this.#isWanted) setImmediate(() => void this.look());
  }

  async #send(entry: OutboxEntry): Promise<void> {
    const { store, now, lease } = this.#deps;
    const channel = this.#byName.get(entry.channel);
    // Lost while it was being taken: whoever has the lease now finds it in hand of somebody else, and sends it.
    if (!channel || !lease.isHeld()) return;
    const delivery = await this.#hand(channel, entry.notification);
    const nowMs = now();
    if (delivery.ok) {
      await store.delivered(entry, this.#fence, nowMs, this.#sendAgainAtMs(channel, entry, nowMs));
      return;
    }
    await this.#noteFailure(entry, delivery, nowMs);
  }

  /**
   * One that throws has not sent it, as far as is known: it is tried again later, as after any failure. Its words may hold the
   * address, which may hold a secret.
   */
  async #hand(channel: Channel, notification: Notification): Promise<Delivery> {
    try {
      return await channel.send(notification);
    } catch (error) {
      const name = error instanceof Error ? error.name : 'no error';
      this.#deps.onFault(`channel ${channel.settings.name}`, new Error(name));
      return passing(`the channel itself has failed (${name})`);
    }
  }

  async #noteFailure(
    entry: OutboxEntry,
    delivery: Extract<Delivery, { ok: false }>,
    nowMs: number,
  ): Promise<void> {
    const { store, random, warn } = this.#deps;
    const { channel, seq, tries } = entry;
    if (delivery.retryAfterMs !== null) this.#restUntilMs.set(channel, nowMs + delivery.retryAfterMs);
    // What stands was delivered: a failure is no reason to give up, and its group's next message need not wait for it.
    const isRepeat =
      entry.deliveredAtMs !== null && nowMs - entry.notification.createdAtMs <= STANDING_FOR_MS;
    const asked = isRepeat ? { tries: Math.min(tries, REPEAT_BACKOFF_TRIES), createdAtMs: nowMs } : entry;
    const plan = planRetry(delivery, asked, nowMs, random());
    const problem = plan.kind === 'dead' ? `${delivery.problem}; ${plan.reason}` : delivery.problem;
    if (tries === 1 || plan.kind === 'dead')
      warn(
        `channel ${channel}: message ${seq} ${plan.kind === 'dead' ? 'is given up' : 'will be tried again'}: ${problem}`,
      );
    await store.failed(
      entry,
      this.#fence,
      nowMs,
      problem,
      plan.kind === 'dead'
        ? { state: 'dead' }
        : { state: isRepeat ? 'standing' : 'pending', atMs: plan.atMs },
    );
  }

  #sendAgainAtMs({ refreshEveryMs }: Channel, { notification }: OutboxEntry, nowMs: number): number | null {
    if (refreshEveryMs === null || notification.status === 'resolved') return null;
    if (nowMs - notification.createdAtMs > STANDING_FOR_MS) return null;
    return nowMs + refreshEveryMs;
  }
}
