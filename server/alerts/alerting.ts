/**
 * Alerts: rules over signals and findings, and how people are notified. Begin reading here. At each tick of the watch a
 * `Judge` (judge.ts) compares what readings.ts reads by conditions.ts and moves alerts along their lifecycle (alert-steps.ts);
 * grouping.ts says which of them follow from others and which messages are due, notification.ts what is in them.
 * From there outbox.ts sends by channels/. May import everything below config, auth and routes; nothing here speaks Redis.
 * To add a condition: a schema in rule.ts, a function in conditions.ts, its words in describe.ts.
 */

import type { Alert, AlertAcknowledgement, Transition } from '../model/alert.js';
import type { Silence } from '../model/silence.js';
import type { TimelineLog } from '../model/timeline-entry.js';
import { reasonOf } from '../process/every.js';
import type { Watch } from '../watch/watch.js';
import { FLAP_WINDOW_MS } from './alert-steps.js';
import type { AlertingStore } from './alert-store.js';
import { DEFAULT_RULES } from './default-rules.js';
import { transitionEntries } from './describe.js';
import type { GroupTiming } from './grouping.js';
import { dueMessages } from './grouping.js';
import { Judge } from './judge.js';
import type { Notification, PathOf } from './notification.js';
import { acknowledgementOf, notificationOf } from './notification.js';
import type { AlertRule } from './rule.js';
import type { StoredRule } from './rules-store.js';
import { RuleSet } from './rules-store.js';

/** What judging needs of the rest of the console. */
interface AlertingDeps {
  readonly watch: Pick<Watch, 'snapshots' | 'snapshot' | 'findings' | 'onTick'>;
  readonly store: AlertingStore;
  readonly timeline: Pick<TimelineLog, 'append'>;
  /** Takes a message for the channels; it may be given the same one (by id) twice, after a crash. */
  readonly notify: (notification: Notification) => Promise<void>;
  /** Takes, for the channels that were notified of alerts, that somebody knows of them; it may be given the same twice. */
  readonly notifyAcknowledged: (notification: Notification) => Promise<void>;
  /** Of several consoles that share a store, one judges. */
  readonly holdsLease: () => boolean;
  /** Rules of the configuration: these count, whatever the store says. */
  readonly fileRules: readonly AlertRule[];
  readonly timing: GroupTiming;
  readonly pathOf: PathOf;
  readonly now: () => number;
  readonly newId: () => string;
  readonly warn: (message: string) => void;
}

/** What other consoles, or this one's API, have changed in the store is looked for this often. */
const REFRESH_MS = 5_000;
/** How far pending alerts have come is kept this often, where their rule's `for` is long enough for it to matter. */
const KEEP_PENDING_MS = 10_000;
const LONG_FOR_MS = 15_000;

/**
 * Judges every instance at each of its ticks, keeps what came of it, and has channels notified. What fires is on disk
 * before anybody is notified, and that they were is kept after, so a console that is killed at any moment notifies again by the
 * same id, or goes on, but never forgets.
 */
export class Alerting {
  readonly #deps: AlertingDeps;
  readonly #judges = new Map<string, Judge>();
  readonly #ruleSet: RuleSet;
  /** Over, and notified or to be: until the pause between two messages is past. */
  readonly #ended = new Map<string, Alert>();
  #transitions: Transition[] = [];
  readonly #unsaved = new Map<string, Alert>();
  readonly #pendingKept = new Set<string>();
  #isLeading = false;
  #isWorking = false;
  #refreshedAtMs = Number.NEGATIVE_INFINITY;
  #pendingKeptAtMs = Number.NEGATIVE_INFINITY;
  #stopWatching: () => void = () => undefined;
  #problem: string | null = null;
  #idle: Promise<void> = Promise.resolve();

  constructor(deps: AlertingDeps) {
    this.#deps = deps;
    this.#ruleSet = new RuleSet(deps.store, deps.fileRules);
  }

  /** Reads rules, silences and open alerts, and begins to judge. A store that can't be read is tried again at each tick. */
  async start(): Promise<void> {
    const { store, now, watch } = this.#deps;
    this.#stopWatching = watch.onTick((instance, atMs) => this.#tick(instance, atMs), 'alerts');
    try {
      await store.rules.bringDefaults(DEFAULT_RULES, now());
      await this.refresh();
    } catch (error) {
      this.#deps.warn(`alert rules could not be read: ${reasonOf(error)}`);
    }
  }

  async stop(): Promise<void> {
    this.#stopWatching();
    await this.#idle;
  }

  /** Why alerts are not kept at present; null: they are. */
  problem(): string | null {
    return this.#problem;
  }

  /** All rules: those of the file first, then by id. */
  rules(): readonly StoredRule[] {
    return this.#ruleSet.kept();
  }

  silences(): readonly Silence[] {
    return this.#ruleSet.silences(this.#deps.now());
  }

  /** Pending and firing, of all instances. */
  async open(): Promise<readonly Alert[]> {
    if (this.#isLeading) return this.openNow();
    return (await this.#deps.store.alerts.open()).filter(({ state }) => state !== 'resolved');
  }

  /** The same without waiting: what this process knows. Empty where another console judges. */
  openNow(): readonly Alert[] {
    return [...this.#judges.values()].flatMap((judge) => judge.alerts());
  }

  /** Takes over what was changed in the store: rules, silences, acknowledgements. */
  async refresh(): Promise<void> {
    const { store, now } = this.#deps;
    this.#refreshedAtMs = now();
    if (await this.#ruleSet.refresh(now()))
      for (const judge of this.#judges.values()) judge.setRules(this.#ruleSet.rules());
    if (!this.#isLeading) return;
    for (const [id, acknowledged] of await store.alerts.acknowledgements())
      this.#amend(id, (alert) => ({ ...alert, acknowledged }));
  }

  /** Somebody knows. @returns null: no such alert that is not over. */
  async acknowledge(id: string, acknowledged: AlertAcknowledgement): Promise<Alert | null> {
    const { alerts } = this.#deps.store;
    const here = this.openNow().some((alert) => alert.id === id)
      ? this.#amend(id, (alert) => ({ ...alert, acknowledged }))
      : null;
    // One that pends may not be kept yet, and an acknowledgement must outlive the process.
    if (here) {
      this.#pendingKept.add(id);
      await alerts.save([here]);
    }
    const known = here ?? (await alerts.read(id));
    if (!known || known.state === 'resolved') return null;
    await alerts.acknowledge(id, acknowledged);
    // One that nobody was notified of yet is followed by this when they are: see #notifyChannels.
    if (known.notified?.status === 'firing') await this.#notifyAcknowledged([{ ...known, acknowledged }]);
    return { ...known, acknowledged };
  }

  /** Where all that fire are acknowledged, which holds whatever becomes of this. */
  async #notifyAcknowledged(alerts: readonly Alert[]): Promise<void> {
    const notification = acknowledgementOf(alerts, this.#deps.now());
    if (notification)
      await this.#deps.notifyAcknowledged(notification).catch((error: unknown) => this.#fail(error));
  }

  #tick(instance: string, atMs: number): void {
    const { holdsLease } = this.#deps;
    const leads = holdsLease();
    if (!leads) {
      if (this.#isLeading) this.#resign();
      if (this.#deps.now() - this.#refreshedAtMs >= REFRESH_MS) this.#work(() => this.refresh());
      return;
    }
    if (this.#isLeading) this.#evaluate(instance, atMs);
    this.#work(() => (this.#isLeading ? this.#carryOut() : this.#takeOver()));
  }

  /** Another console judges from now on: what was known here grows old. */
  #resign(): void {
    this.#isLeading = false;
    this.#judges.clear();
    this.#ended.clear();
    this.#transitions = [];
    this.#unsaved.clear();
    this.#pendingKept.clear();
  }

  /** Goes on where the console before (or this one, before it was killed) has left off. */
  async #takeOver(): Promise<void> {
    const { store, watch, newId, now } = this.#deps;
    await this.refresh();
    const open = await store.alerts.open();
    const firings = await store.alerts.firings(now() - FLAP_WINDOW_MS);
    const names = new Set(watch.snapshots().map(({ instance }) => instance));
    for (const instance of names) {
      const judge = new Judge({ instance, newId });
      judge.setRules(this.#ruleSet.rules());
      const mine = open.filter(({ state, subject }) => state !== 'resolved' && subject.instance === instance);
      judge.restore(mine, firings);
      this.#judges.set(instance, judge);
    }
    for (const alert of open) {
      if (alert.state === 'resolved') this.#ended.set(alert.id, alert);
      else if (alert.state === 'pending') this.#pendingKept.add(alert.id);
      // A Redis that is not configured any more has no alerts.
      if (alert.state === 'firing' && !names.has(alert.subject.instance)) {
        const over: Alert = { ...alert, state: 'resolved', resolvedAtMs: now() };
        this.#ended.set(over.id, over);
        this.#transitions.push({ kind: 'resolved', alert: over });
      }
    }
    this.#isLeading = true;
  }

  #evaluate(instance: string, atMs: number): void {
    const { watch } = this.#deps;
    const snapshot = watch.snapshot(instance);
    const judge = this.#judges.get(instance);
    if (!snapshot || !judge) return;
    for (const transition of judge.evaluate(snapshot, watch.findings(), atMs)) {
      this.#transitions.push(transition);
      if (transition.kind === 'resolved') this.#ended.set(transition.alert.id, transition.alert);
    }
  }

  /** One piece of work at a time; a tick that comes meanwhile leaves its work to the next one. */
  #work(work: () => Promise<void>): void {
    if (this.#isWorking) return;
    this.#isWorking = true;
    this.#idle = work()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#isWorking = false;
      });
  }

  #fail(error: unknown): void {
    const reason = reasonOf(error);
    if (this.#problem === null) this.#deps.warn(`alerts are not kept at present: ${reason}`);
    this.#problem = reason;
  }

  async #carryOut(): Promise<void> {
    const { now } = this.#deps;
    if (now() - this.#refreshedAtMs >= REFRESH_MS) await this.refresh().catch((error) => this.#fail(error));
    await this.#keep().then(
      () => {
        this.#problem = null;
      },
      // A disk that is full must not keep anybody from being notified.
      (error: unknown) => this.#fail(error),
    );
    await this.#notifyChannels();
  }

  /** First what changed, then its entries in the timeline. */
  async #keep(): Promise<void> {
    const { store, timeline, now, newId } = this.#deps;
    const transitions = this.#transitions.splice(0);
    for (const { kind, alert } of transitions)
      if (kind === 'firing' || kind === 'resolved') this.#unsaved.set(alert.id, alert);
    // As they are by now: they may have been notified since.
    const changed = [...this.#unsaved].map(([id, alert]) => this.#amend(id, (now) => now) ?? alert);
    const entries = transitionEntries(transitions, now());
    try {
      await store.alerts.save(changed);
    } finally {
      for (const entry of entries) await timeline.append({ ...entry, id: newId() });
    }
    for (const { id } of changed) this.#unsaved.delete(id);
    const dropped = transitions.flatMap(({ kind, alert }) => (kind === 'dropped' ? [alert.id] : []));
    const known = dropped.filter((id) => this.#pendingKept.delete(id));
    await store.alerts.drop(known);
    await this.#keepPending();
  }

  async #keepPending(): Promise<void> {
    const nowMs = this.#deps.now();
    if (nowMs - this.#pendingKeptAtMs < KEEP_PENDING_MS) return;
    this.#pendingKeptAtMs = nowMs;
    const forMsOf = new Map(this.#ruleSet.rules().map(({ id, forMs }) => [id, forMs]));
    const pending = this.openNow().filter(
      ({ state, ruleId }) => state === 'pending' && (forMsOf.get(ruleId) ?? 0) >= LONG_FOR_MS,
    );
    for (const { id } of pending) this.#pendingKept.add(id);
    await this.#deps.store.alerts.save(pending);
  }

  async #notifyChannels(): Promise<void> {
    const { watch, timing, notify, pathOf, now, store } = this.#deps;
    const firing = this.openNow().filter(({ state }) => state === 'firing');
    const due = dueMessages([...firing, ...this.#ended.values()], this.silences(), timing, now());
    let failure: unknown = null;
    for (const message of due) {
      const isTaken = await notify(notificationOf(message, watch.findings(), pathOf, now())).then(
        () => true,
        (error: unknown) => {
          failure = error;
          return false;
        },
      );
      // Tried again at the next tick; one that can't be handed over must not hold up the others.
      if (!isTaken) continue;
      const sent = message.alerts.flatMap((alert) => {
        const status = alert.state === 'resolved' ? ('resolved' as const) : ('firing' as const);
        const note = { status, severity: alert.severity, atMs: now() };
        return this.#amend(alert.id, (one) => ({ ...one, notified: note })) ?? [];
      });
      await store.alerts.save(sent).catch((error: unknown) => this.#fail(error));
      await this.#notifyAcknowledged(sent);
    }
    if (failure !== null) this.#fail(failure);
    this.#forgetEnded();
  }

  /** Those whose end was notified, or of which nobody ever was, once the pause of their group is past. */
  #forgetEnded(): void {
    const nowMs = this.#deps.now();
    for (const [id, { notified, resolvedAtMs }] of this.#ended) {
      const restMs = nowMs - (notified?.atMs ?? resolvedAtMs ?? 0);
      if (notified?.status !== 'firing' && restMs >= this.#deps.timing.intervalMs) this.#ended.delete(id);
    }
  }

  /** Changes an alert wherever it stands by now. */
  #amend(id: string, change: (alert: Alert) => Alert): Alert | null {
    const ended = this.#ended.get(id);
    if (ended) {
      const now = change(ended);
      this.#ended.set(id, now);
      return now;
    }
    for (const judge of this.#judges.values()) {
      const found = judge.amend(id, change);
      if (found) return found;
    }
    return null;
  }
}
