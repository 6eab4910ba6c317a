import type { Finding, FindingKey } from '../model/finding.js';
import { isPartlyUnread, unreadSubjects } from '../model/finding.js';
import { freshnessOf, isSettling } from '../model/sight.js';
import type { Snapshot } from '../model/snapshot.js';
import { globMatcher } from '../model/text.js';
import type { Subject } from '../signals/signal.js';
import type { Alert, Transition } from './alert.js';
import { factsOfFinding, factsOfNumber } from './alert-facts.js';
import type { Level } from './alert-state.js';
import { AlertSteps, whenNotTold } from './alert-steps.js';
import type { Column } from './columns.js';
import {
  amendIn,
  compileFindingRule,
  compileSignalRule,
  type FindingRuleState,
  isOfScope,
  keyOf,
  type SignalRule,
} from './compiled-rule.js';
import { levelOf, mayBreach } from './conditions.js';
import { inhibitors } from './inhibition.js';
import type { Gauge } from './past.js';
import type { AlertRule } from './rule.js';
import { SignalValues } from './signal-values.js';

export interface JudgeOptions {
  readonly instance: string;
  readonly newId: () => string;
  /** After a restart rates, habits and samples are not known yet: for so long nothing that was restored is called over, but by a number that was read. */
  readonly warmUpMs?: number;
}
const WARM_UP_MS = 60_000;

/**
 * Judges one instance by rules, tick by tick: which alerts are pending, fire, or are over. No I/O and no clock: time and
 * ids come in, and what is to be remembered (`alerts`) can be taken out and given to another judge (`restore`).
 */
export class Judge {
  readonly #instance: string;
  readonly #warmUpMs: number;
  readonly #room: SignalValues;
  readonly #steps: AlertSteps;
  #signalRules: SignalRule[] = [];
  #gauges: readonly Gauge[] = [];
  #findingRules: FindingRuleState[] = [];
  /** Their rule is gone or is not about them any more. */
  #orphans: Alert[] = [];
  #restored = new Set<string>();
  #liveSinceMs: number | null = null;
  #edition = 0;

  constructor({ instance, newId, warmUpMs = WARM_UP_MS }: JudgeOptions) {
    this.#instance = instance;
    this.#warmUpMs = warmUpMs;
    this.#room = new SignalValues(instance);
    this.#steps = new AlertSteps(newId);
  }

  /** Takes these rules from the next tick on. Alerts of rules that stay go on under what their rule says now. */
  setRules(rules: readonly AlertRule[]): void {
    const alerts = this.alerts();
    const mine = rules.filter(
      ({ isEnabled, scope }) => isEnabled && globMatcher(scope.instance)(this.#instance),
    );
    this.#signalRules = mine.flatMap((rule) => compileSignalRule(rule) ?? []);
    this.#findingRules = mine.flatMap((rule) => compileFindingRule(rule) ?? []);
    // Rules that differ in their thresholds alone go by one gauge.
    const gauges = new Map(this.#signalRules.map(({ watching: { gauge } }) => [gauge.key, gauge]));
    this.#gauges = [...gauges.values()];
    this.#room.keep(new Set(gauges.keys()));
    this.#orphans = [];
    this.#adopt(alerts);
  }

  /** Goes on with alerts of a judge before, such as that of a process that is gone. */
  restore(alerts: readonly Alert[], firings: ReadonlyMap<string, readonly number[]> = new Map()): void {
    this.#adopt(alerts);
    for (const { id } of alerts) this.#restored.add(id);
    this.#steps.recall(firings);
  }

  /** All that are pending or fire. */
  alerts(): readonly Alert[] {
    const all: Alert[] = [];
    for (const { active } of this.#signalRules) for (const alert of active.values()) all.push(alert);
    for (const { active } of this.#findingRules) for (const alert of active.values()) all.push(alert);
    return all.concat(this.#orphans);
  }

  /** Changes an alert that is not over, such as by who has acknowledged it. @returns null: there is no such alert. */
  amend(id: string, change: (alert: Alert) => Alert): Alert | null {
    for (const { active } of this.#signalRules) {
      const found = amendIn(active, id, change);
      if (found) return found;
    }
    for (const { active } of this.#findingRules) {
      const found = amendIn(active, id, change);
      if (found) return found;
    }
    return null;
  }

  /**
   * One look at everything. At most one transition an alert.
   * @param findings of this instance or more, as they are now.
   */
  evaluate(snapshot: Snapshot, findings: readonly Finding[], nowMs: number): readonly Transition[] {
    const transitions: Transition[] = [];
    const isLive = freshnessOf(snapshot, nowMs).isLive;
    if (isLive) this.#liveSinceMs ??= nowMs;
    const intervalMs = snapshot.poll.intervalMs;
    this.#steps.beginTick(nowMs, intervalMs, (alert) => this.#isWarmingUp(alert, nowMs));
    for (const alert of this.#orphans) transitions.push(this.#steps.end(alert));
    this.#orphans = [];
    this.#room.read(this.#gauges, snapshot, nowMs);
    if (this.#room.edition !== this.#edition) this.#reslot();
    const isUnread = unreadSubjects(snapshot.unread);
    const look = { snapshot, isLive, isUnread, nowMs, transitions };
    for (const state of this.#signalRules) this.#judgeSignal(state, look);
    const here = findings.filter(({ instance }) => instance === this.#instance);
    const untold =
      this.#findingRules.length > 0 ? whenNotTold(here, isSettling(snapshot, nowMs)) : () => 'clear' as const;
    for (const state of this.#findingRules) this.#judgeFindings(state, here, untold, look);
    this.#inhibit(transitions);
    return transitions;
  }

  #judgeSignal(state: SignalRule, { snapshot, isLive, isUnread, nowMs, transitions }: Look): void {
    const { rule, watching, active } = state;
    const column = this.#room.column(watching.gauge.key);
    if (!column) {
      for (const [slot, alert] of active) this.#keep(state, slot, alert, 'unknown', null, transitions);
      return;
    }
    const { values, table } = column;
    if (mayBreach(watching, column.range)) this.#begin(state, column, transitions);
    for (const [slot, alert] of active) {
      if (alert.sinceMs === nowMs && alert.seenAtMs === nowMs) continue;
      const value = values[slot] ?? Number.NaN;
      // What is not there any more has no trouble; but a console that has just begun does not know everybody yet.
      const isGone = isLive && !table.isPresent(slot) && snapshot.discovery.lastPassAtMs !== null;
      const isNotKnown = isUnread(alert.subject) || (Number.isNaN(value) && isPartlyUnread(snapshot));
      const level = isNotKnown ? 'unknown' : isGone ? 'clear' : levelOf(watching, value);
      const step = this.#keep(state, slot, alert, level, Number.isNaN(value) ? null : value, transitions);
      if (step !== 'firing') continue;
      // In words as of the moment at which it is told.
      const fired = active.get(slot) as Alert;
      this.#amend(
        active,
        slot,
        {
          ...fired,
          ...factsOfNumber(rule, fired.subject, watching.gauge.signal, fired.value ?? Number.NaN),
        },
        transitions,
      );
    }
  }

  /** Begins an alert for each in breach that has none. */
  #begin({ rule, watching, active, matcher }: SignalRule, column: Column, transitions: Transition[]): void {
    const { values, table } = column;
    const { threshold, gauge } = watching;
    const isAbove = watching.is === 'above';
    for (const slot of matcher.matched(table)) {
      const value = values[slot] as number;
      if (!(isAbove ? value > threshold : value < threshold) || active.has(slot)) continue;
      const subject = table.subjects[slot] as Subject;
      const facts = factsOfNumber(rule, subject, gauge.signal, value);
      const begun = this.#steps.start(rule, subject, keyOf(rule, subject), facts);
      active.set(slot, begun);
      transitions.push({ kind: begun.state === 'firing' ? 'firing' : 'pending', alert: begun });
    }
  }

  #judgeFindings(
    state: FindingRuleState,
    findings: readonly Finding[],
    untold: (key: FindingKey, code: string) => Level,
    { isLive, isUnread, transitions }: Look,
  ): void {
    const { rule, active, matches } = state;
    const seen = new Set<FindingKey>();
    const lastSeen = new Set<FindingKey>();
    for (const finding of findings) {
      if (finding.lastSeenAtMs !== undefined) lastSeen.add(finding.key);
      if (finding.lastSeenAtMs !== undefined || !matches(finding)) continue;
      seen.add(finding.key);
      const now = factsOfFinding(rule, finding);
      const alert = active.get(finding.key);
      if (alert) this.#keep(state, finding.key, { ...alert, ...now }, 'breach', null, transitions);
      else {
        const { instance, queue, jobType } = finding;
        const subject = { instance, node: null, queue, type: jobType ?? null };
        const begun = this.#steps.start(rule, subject, JSON.stringify([rule.id, finding.key]), now);
        active.set(finding.key, begun);
        transitions.push({ kind: begun.state === 'firing' ? 'firing' : 'pending', alert: begun });
      }
    }
    for (const [key, alert] of active) {
      if (seen.has(key)) continue;
      const isKnown = isLive && !lastSeen.has(key) && !isUnread(alert.subject);
      const level = isKnown ? untold(key, alert.cause) : 'unknown';
      this.#keep(state, key, alert, level, null, transitions);
    }
  }

  #keep<K>(
    { active, rule }: { readonly active: Map<K, Alert>; readonly rule: AlertRule },
    at: K,
    before: Alert,
    level: Level,
    measured: number | null,
    transitions: Transition[],
  ): Transition['kind'] | null {
    const { kind, alert } = this.#steps.step(before, level, rule, measured);
    if (kind === 'dropped' || kind === 'resolved') {
      active.delete(at);
      this.#restored.delete(alert.id);
    } else active.set(at, alert);
    if (kind !== null) transitions.push({ kind, alert });
    return kind;
  }

  /** Puts better words into the transition that was noted last. */
  #amend<K>(active: Map<K, Alert>, at: K, alert: Alert, transitions: Transition[]): void {
    active.set(at, alert);
    transitions[transitions.length - 1] = { kind: 'firing', alert };
  }

  /** What explains what is told of the transitions too. */
  #inhibit(transitions: Transition[]): void {
    const all = this.alerts();
    const by = inhibitors(all);
    const changed = new Map<string, Alert>();
    const settle = <K>(active: Map<K, Alert>): void => {
      for (const [at, alert] of active) {
        const inhibitedBy = by.get(alert)?.ruleName ?? (isPastUntold(alert) ? alert.inhibitedBy : null);
        if (inhibitedBy === alert.inhibitedBy) continue;
        const now = { ...alert, inhibitedBy };
        active.set(at, now);
        changed.set(alert.id, now);
      }
    };
    for (const { active } of this.#signalRules) settle(active);
    for (const { active } of this.#findingRules) settle(active);
    if (changed.size === 0) return;
    transitions.forEach(({ kind, alert }, i) => {
      const now = changed.get(alert.id);
      if (now) transitions[i] = { kind, alert: now };
    });
  }

  #isWarmingUp({ id }: Alert, nowMs: number): boolean {
    return (
      this.#restored.has(id) && (this.#liveSinceMs === null || nowMs - this.#liveSinceMs < this.#warmUpMs)
    );
  }

  /** Gives alerts to their rules, by subject; those that no rule is about any more are over. */
  #adopt(alerts: readonly Alert[]): void {
    const signalRules = new Map(this.#signalRules.map((state) => [state.rule.id, state]));
    const findingRules = new Map(this.#findingRules.map((state) => [state.rule.id, state]));
    for (const alert of alerts) {
      const state = signalRules.get(alert.ruleId);
      const table = state ? this.#room.table(state.scope) : null;
      if (state && table && alert.findingKey === null && isOfScope(alert.subject, state.scope)) {
        const slot = table.slotOf(alert.subject);
        if (state.matcher.matched(table).includes(slot)) {
          state.active.set(slot, alert);
          continue;
        }
      }
      const found = findingRules.get(alert.ruleId);
      if (found && alert.findingKey !== null) found.active.set(alert.findingKey, alert);
      else this.#orphans.push(alert);
    }
  }

  /** The tables were made anew: the same subjects have other slots. */
  #reslot(): void {
    this.#edition = this.#room.edition;
    for (const state of this.#signalRules) {
      const alerts = [...state.active.values()];
      const table = this.#room.table(state.scope);
      state.active = new Map(alerts.map((alert) => [table.slotOf(alert.subject), alert]));
    }
  }
}

/**
 * Explained as long as it was so, never told, and not seen to be so any more: it waits for its end alone. When what
 * explained it ends first, nobody is told of what is over; where it is so again, it is told.
 */
function isPastUntold({ state, told, seen }: Alert): boolean {
  return state === 'firing' && told === null && seen !== 'breach';
}

interface Look {
  readonly snapshot: Snapshot;
  readonly isLive: boolean;
  /** Is it about what can't be read now? That neither breaches nor is over. */
  readonly isUnread: (subject: Subject) => boolean;
  readonly nowMs: number;
  readonly transitions: Transition[];
}
