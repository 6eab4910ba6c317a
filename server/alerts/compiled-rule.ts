import type { Finding, FindingKey } from '../model/finding.js';
import { globMatcher } from '../model/text.js';
import { signalNamed } from '../signals/index.js';
import type { Signal, Subject } from '../signals/signal.js';
import type { Alert } from './alert.js';
import { findingMatcher, watchCondition } from './conditions.js';
import type { Watching } from './past.js';
import type { AlertRule } from './rule.js';
import type { SubjectTable } from './subject-table.js';

/** A rule over a signal, ready to be judged, with its alerts that are not over by slot. */
export interface SignalRule {
  readonly rule: AlertRule;
  readonly watching: Watching;
  readonly scope: Signal['scope'];
  readonly matcher: SlotMatcher;
  active: Map<number, Alert>;
}
/** A rule over findings, with its alerts that are not over by key of the finding. */
export interface FindingRuleState {
  readonly rule: AlertRule;
  readonly matches: (finding: Finding) => boolean;
  readonly active: Map<FindingKey, Alert>;
}

/** @returns null: it can't be judged, as its signal does not exist. */
export function compileSignalRule(rule: AlertRule): SignalRule | null {
  if (rule.condition.kind === 'finding') return null;
  const signal = signalNamed(rule.condition.signal);
  if (!signal) return null;
  return {
    rule,
    watching: watchCondition(rule.condition),
    scope: signal.scope,
    matcher: new SlotMatcher(rule),
    active: new Map(),
  };
}

export function compileFindingRule(rule: AlertRule): FindingRuleState | null {
  return rule.condition.kind === 'finding'
    ? { rule, matches: findingMatcher(rule, rule.condition), active: new Map() }
    : null;
}

/** Which subjects a rule is about. Each is matched once, when it is first seen. */
export class SlotMatcher {
  readonly #isQueue: (text: string) => boolean;
  readonly #isType: (text: string) => boolean;
  #table: SubjectTable | null = null;
  #matched: number[] = [];
  #matchedTo = 0;

  constructor({ scope }: AlertRule) {
    this.#isQueue = globMatcher(scope.queue);
    this.#isType = globMatcher(scope.type);
  }

  matched(table: SubjectTable): readonly number[] {
    if (this.#table !== table) {
      this.#table = table;
      this.#matched = [];
      this.#matchedTo = 0;
    }
    const { subjects } = table;
    for (; this.#matchedTo < subjects.length; this.#matchedTo++) {
      const subject = subjects[this.#matchedTo];
      const isMeant =
        subject !== undefined &&
        (subject.queue === null || this.#isQueue(subject.queue)) &&
        (subject.type === null || this.#isType(subject.type));
      if (isMeant) this.#matched.push(this.#matchedTo);
    }
    return this.#matched;
  }
}

/** The same as long as rule and subject are. */
export function keyOf({ id }: AlertRule, { instance, node, queue, type }: Subject): string {
  return JSON.stringify([id, instance, node, queue, type]);
}

/** Is it about what signals of this scope are about? */
export function isOfScope({ node, queue, type }: Subject, scope: SignalRule['scope']): boolean {
  if (scope === 'job-type') return type !== null;
  if (scope === 'queue') return queue !== null && type === null;
  return queue === null && (scope === 'node') === (node !== null);
}

/** Changes the alert of that id in place. @returns null: it is not among these. */
export function amendIn<K>(active: Map<K, Alert>, id: string, change: (alert: Alert) => Alert): Alert | null {
  for (const [at, alert] of active) {
    if (alert.id !== id) continue;
    const now = change(alert);
    active.set(at, now);
    return now;
  }
  return null;
}
