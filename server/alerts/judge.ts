import type { Alert, Transition } from '../model/alert.js';
import type { Finding, FindingKey } from '../model/finding.js';
import { isPartlyUnread, unreadSubjects } from '../model/finding.js';
import type { Level } from '../model/lifecycle.js';
import { freshnessOf, isSettling } from '../model/sight.js';
import type { Snapshot } from '../model/snapshot.js';
import { globMatcher } from '../model/text.js';
import type { SignalSubject } from '../signals/signal.js';
import { type AlertFacts, AlertSteps, factsOfFinding, factsOfNumber, whenNotFound } from './alert-steps.js';
import {
  findingRuleOf,
  type JudgedFindingRule,
  type JudgedRule,
  type JudgedSignalRule,
  levelOf,
  mayBreach,
  meantOf,
  signalRuleOf,
} from './conditions.js';
import type { Gauge } from './gauge.js';
import { inhibitors } from './grouping.js';
import { type GaugeColumn, Readings, subjectKey, type WatchedSubject } from './readings.js';
import type { AlertRule } from './rule.js';

interface JudgeOptions {
  readonly instance: string;
  readonly newId: () => string;
  /** After a restart rates, habits and samples are not known yet: for so long nothing that was restored is called over, but by a number that was read. */
  readonly warmUpMs?: number;
}
const WARM_UP_MS = 60_000;

/** One look at everything. */
interface Look {
  readonly snapshot: Snapshot;
  readonly isLive: boolean;
  /** Is it about what can't be read now? That neither breaches nor is over. */
  readonly isUnread: (subject: SignalSubject) => boolean;
  readonly nowMs: number;
  readonly transitions: Transition[];
}

/**
 * Judges one instance by rules, tick by tick: which alerts are pending, fire, or are over. No I/O and no clock: time and
 * ids come in, and what is to be remembered (`alerts`) can be taken out and given to another judge (`restore`).
 */
export class Judge {
  readonly #instance: string;
  readonly #steps: AlertSteps;
  readonly #readings = new Readings();
  #signalRules: readonly JudgedSignalRule[] = [];
  #findingRules: readonly JudgedFindingRule[] = [];
  #gauges: readonly Gauge[] = [];
  /** Their rule is gone or is not about them any more. */
  #orphans: Alert[] = [];

  constructor({ instance, newId, warmUpMs = WARM_UP_MS }: JudgeOptions) {
    this.#instance = instance;
    this.#steps = new AlertSteps(newId, warmUpMs);
  }

  /** Takes these rules from the next tick on. Alerts of rules that stay go on under what their rule says now. */
  setRules(rules: readonly AlertRule[]): void {
    const alerts = this.alerts();
    const mine = rules.filter(
      ({ isEnabled, scope }) => isEnabled && globMatcher(scope.instance)(this.#instance),
    );
    this.#signalRules = mine.flatMap((rule) => signalRuleOf(rule) ?? []);
    this.#findingRules = mine.flatMap((rule) => findingRuleOf(rule) ?? []);
    // Rules that differ in their thresholds alone go by one gauge.
    const gauges = new Map(this.#signalRules.map(({ watching: { gauge } }) => [gauge.key, gauge]));
    this.#gauges = [...gauges.values()];
    this.#readings.keep(new Set(gauges.keys()));
    this.#orphans = [];
    this.#adopt(alerts);
  }

  /** Goes on with alerts of a judge before, such as that of a process that is gone. */
  restore(alerts: readonly Alert[], firings: ReadonlyMap<string, readonly number[]> = new Map()): void {
    this.#adopt(alerts);
    this.#steps.restore(alerts, firings);
  }

  /** All that are pending or fire. */
  alerts(): readonly Alert[] {
    const all: Alert[] = [];
    for (const { active } of this.#rules()) for (const alert of active.values()) all.push(alert);
    return all.concat(this.#orphans);
  }

  /** Changes an alert that is not over, such as by who has acknowledged it. @returns null: there is no such alert. */
  amend(id: string, change: (alert: Alert) => Alert): Alert | null {
    for (const { active } of this.#rules())
      for (const [key, alert] of active) {
        if (alert.id !== id) continue;
        const now = change(alert);
        active.set(key, now);
        return now;
      }
    return null;
  }

  /**
   * At most one transition an alert.
   * @param findings of this instance or more, as they are now.
   */
  evaluate(snapshot: Snapshot, findings: readonly Finding[], nowMs: number): readonly Transition[] {
    const { isLive } = freshnessOf(snapshot, nowMs);
    this.#steps.beginTick(nowMs, snapshot.poll.intervalMs, isLive);
    const transitions: Transition[] = this.#orphans.map((alert) => this.#steps.end(alert));
    this.#orphans = [];
    this.#readings.read(this.#gauges, snapshot, nowMs);
    const look = { snapshot, isLive, isUnread: unreadSubjects(snapshot.unread), nowMs, transitions };
    for (const state of this.#signalRules) this.#judgeSignal(state, look);
    if (this.#findingRules.length > 0) {
      const here = findings.filter(({ instance }) => instance === this.#instance);
      const levelWithout = whenNotFound(here, isSettling(snapshot, nowMs));
      for (const state of this.#findingRules) this.#judgeFindings(state, here, levelWithout, look);
    }
    this.#inhibit(transitions);
    return transitions;
  }

  #rules(): readonly JudgedRule[] {
    return [...this.#signalRules, ...this.#findingRules];
  }

  #judgeSignal(state: JudgedSignalRule, { snapshot, isLive, isUnread, nowMs, transitions }: Look): void {
    const { watching, active } = state;
    const column = this.#readings.column(watching.gauge);
    if (column !== null && mayBreach(watching, column)) this.#beginBreaches(state, column, transitions);
    for (const [key, alert] of active) {
      if (alert.sinceMs === nowMs && alert.seenAtMs === nowMs) continue;
      const watched = this.#readings.find(key);
      const value = (watched && column?.numbers[watched.row]) ?? Number.NaN;
      // What is not there any more has no trouble; but a console that has just begun does not know everybody yet.
      const isGone =
        isLive && !(watched && this.#readings.isHere(watched)) && snapshot.discovery.lastPassAtMs !== null;
      const isNotKnown =
        column === null || isUnread(alert.subject) || (Number.isNaN(value) && isPartlyUnread(snapshot));
      const level = isNotKnown ? 'unknown' : isGone ? 'clear' : levelOf(watching, value);
      this.#keep(state, key, alert, level, Number.isNaN(value) ? null : value, transitions);
    }
  }

  /** Begins an alert for each in breach that has none. */
  #beginBreaches(state: JudgedSignalRule, { numbers }: GaugeColumn, transitions: Transition[]): void {
    const { rule, watching, active } = state;
    const isAbove = watching.is === 'above';
    const { threshold } = watching;
    const all = this.#readings.allOf(state.scope);
    for (const row of meantOf(state, all)) {
      const value = numbers[row] as number;
      if (!(isAbove ? value > threshold : value < threshold)) continue;
      const { subject, key } = all[row] as WatchedSubject;
      if (active.has(key)) continue;
      const { instance, node, queue, type } = subject;
      // The same as long as rule and subject are.
      const alertKey = JSON.stringify([rule.id, instance, node, queue, type]);
      this.#begin(state, key, subject, alertKey, factsOfNumber(rule, subject, value), transitions);
    }
  }

  #judgeFindings(
    state: JudgedFindingRule,
    findings: readonly Finding[],
    levelWithout: (key: FindingKey, code: string) => Level,
    { isLive, isUnread, transitions }: Look,
  ): void {
    const { rule, active, matches } = state;
    const found = new Set<FindingKey>();
    const lastSeen = new Set<FindingKey>();
    for (const finding of findings) {
      const { key, instance, queue, jobType } = finding;
      if (finding.lastSeenAtMs !== undefined) lastSeen.add(key);
      if (finding.lastSeenAtMs !== undefined || !matches(finding)) continue;
      found.add(key);
      const facts = factsOfFinding(rule, finding);
      const alert = active.get(key);
      const subject = { instance, node: null, queue, type: jobType ?? null };
      if (alert) this.#keep(state, key, { ...alert, ...facts }, 'breach', null, transitions);
      else this.#begin(state, key, subject, JSON.stringify([rule.id, key]), facts, transitions);
    }
    for (const alert of active.values()) {
      const { findingKey: key } = alert;
      if (key === null || found.has(key)) continue;
      const isKnown = isLive && !lastSeen.has(key) && !isUnread(alert.subject);
      this.#keep(state, key, alert, isKnown ? levelWithout(key, alert.code) : 'unknown', null, transitions);
    }
  }

  #begin(
    { rule, active }: JudgedRule,
    key: string,
    subject: SignalSubject,
    alertKey: string,
    facts: AlertFacts,
    transitions: Transition[],
  ): void {
    const alert = this.#steps.start(rule, subject, alertKey, facts);
    active.set(key, alert);
    transitions.push({ kind: alert.state === 'firing' ? 'firing' : 'pending', alert });
  }

  /** @param measured the number that was read; null: none was. */
  #keep(
    { active, rule }: JudgedRule,
    key: string,
    before: Alert,
    level: Level,
    measured: number | null,
    transitions: Transition[],
  ): void {
    const { kind, alert: stepped } = this.#steps.step(before, level, rule, measured);
    // In words as of the moment at which it fires.
    const alert =
      kind === 'firing' && measured !== null
        ? { ...stepped, ...factsOfNumber(rule, stepped.subject, measured) }
        : stepped;
    if (kind === 'dropped' || kind === 'resolved') active.delete(key);
    else active.set(key, alert);
    if (kind !== null) transitions.push({ kind, alert });
  }

  /** Notes what explains what, in the transitions too. */
  #inhibit(transitions: Transition[]): void {
    const by = inhibitors(this.alerts());
    const changed = new Map<string, Alert>();
    for (const { active } of this.#rules())
      for (const [key, alert] of active) {
        const inhibitedBy = by.get(alert)?.ruleName ?? (isPastUnnotified(alert) ? alert.inhibitedBy : null);
        if (inhibitedBy === alert.inhibitedBy) continue;
        const now = { ...alert, inhibitedBy };
        active.set(key, now);
        changed.set(alert.id, now);
      }
    if (changed.size === 0) return;
    transitions.forEach(({ kind, alert }, i) => {
      const now = changed.get(alert.id);
      if (now) transitions[i] = { kind, alert: now };
    });
  }

  /** Gives alerts to their rules, by subject; those that no rule is about any more are over. */
  #adopt(alerts: readonly Alert[]): void {
    const signalRules = new Map(this.#signalRules.map((state) => [state.rule.id, state]));
    const findingRules = new Map(this.#findingRules.map((state) => [state.rule.id, state]));
    for (const alert of alerts) {
      const { ruleId, findingKey, subject } = alert;
      const state = findingKey === null ? signalRules.get(ruleId) : undefined;
      if (state?.isMeant(subject)) state.active.set(subjectKey(subject), alert);
      else if (findingKey !== null && findingRules.has(ruleId))
        findingRules.get(ruleId)?.active.set(findingKey, alert);
      else this.#orphans.push(alert);
    }
  }
}

/**
 * Explained as long as it was so, never notified, and not seen to be so any more: it waits for its end alone. When what
 * explained it ends first, nobody is notified of what is over; where it is so again, they are.
 */
function isPastUnnotified({ state, notified, seen }: Alert): boolean {
  return state === 'firing' && notified === null && seen !== 'breach';
}
