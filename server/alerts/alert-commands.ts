import type { HistoryLog } from '../history/history-log.js';
import type { AuditLog, AuditRecord } from '../model/audit-record.js';
import { formatDuration } from '../model/format.js';
import type { Actor } from '../model/role.js';
import { ALL_INSTANCES, type TimelineEntry, type TimelineLog } from '../model/timeline-entry.js';
import { auditOf } from '../timeline/audit-log.js';
import type { Watch } from '../watch/watch.js';
import type { Alert } from './alert.js';
import type { AlertView } from './alert-view.js';
import type { Alerting } from './alerting.js';
import type { AlertingStore } from './alerting-store.js';
import { subjectName } from './describe.js';
import { compareAlerts } from './grouping.js';
import type { PathOf } from './notification-of.js';
import { relatedFinding } from './notification-of.js';
import type { AlertRule } from './rule.js';
import { type Silence, type SilenceMatchers, silenceOf } from './silence.js';
import { type RuleTest, testRule } from './test-rule.js';

export interface AlertCommandsDeps {
  readonly alerting: Alerting;
  readonly store: AlertingStore;
  readonly audit: AuditLog;
  readonly timeline: Pick<TimelineLog, 'append'>;
  readonly watch: Pick<Watch, 'snapshots' | 'findings'>;
  readonly history: HistoryLog | null;
  readonly pathOf: PathOf;
  readonly now: () => number;
  readonly newId: () => string;
}

/** Where people and programs see alerts and act on them. Each act is kept with who did it before it is answered for. */
export class AlertCommands {
  readonly #deps: AlertCommandsDeps;
  readonly rules: Alerting['rules'];
  readonly silences: Alerting['silences'];
  readonly problem: Alerting['problem'];

  constructor(deps: AlertCommandsDeps) {
    this.#deps = deps;
    this.rules = () => deps.alerting.rules();
    this.silences = () => deps.alerting.silences();
    this.problem = () => deps.alerting.problem();
  }

  /** Firing alerts that nobody has silenced and nothing explains: what the menu counts. Without waiting. */
  firingCount(): number {
    const [nowMs, silences] = [this.#deps.now(), this.silences()];
    return this.#deps.alerting
      .openNow()
      .filter(
        (alert) =>
          alert.state === 'firing' &&
          alert.inhibitedBy === null &&
          silenceOf(alert, silences, nowMs) === null,
      ).length;
  }

  /** Firing first, worst first; then pending. */
  async open(): Promise<readonly AlertView[]> {
    const open = [...(await this.#deps.alerting.open())].sort(
      (a, b) => Number(a.state === 'pending') - Number(b.state === 'pending') || compareAlerts(a, b),
    );
    return open.map((alert) => this.#view(alert));
  }

  /** Latest first. */
  async resolved(query: {
    readonly sinceMs?: number;
    readonly limit: number;
  }): Promise<readonly AlertView[]> {
    return (await this.#deps.store.alerts.resolved(query)).map((alert) => this.#view(alert));
  }

  /** @returns null: there is none of that id that is not over. */
  async acknowledge(actor: Actor, id: string, note: string): Promise<AlertView | null> {
    const { alerting, now } = this.#deps;
    const alert = await alerting.acknowledge(id, { actor: actor.name, atMs: now(), note });
    if (!alert) return null;
    const { ruleName, subject } = alert;
    const text = `${actor.name} has acknowledged "${ruleName}" about ${subjectName(subject)}${note ? `: ${note}` : '.'}`;
    await this.#account(actor, 'alert.acknowledged', text, subject.instance, subject.queue);
    await this.#audit(actor, 'alert.acknowledge', subject.instance, subject.queue, note, { alert: id }, text);
    return this.#view(alert);
  }

  /** @returns null: there are as many silences as there may be. */
  async silence(
    actor: Actor,
    asked: { readonly matchers: SilenceMatchers; readonly endsAtMs: number; readonly comment: string },
  ): Promise<Silence | null> {
    const { store, alerting, now, newId } = this.#deps;
    const silence: Silence = { id: newId(), author: actor.name, startsAtMs: now(), ...asked };
    if (!(await store.silences.add(silence))) return null;
    await alerting.refresh();
    const lasts = formatDuration((silence.endsAtMs - silence.startsAtMs) / 1000);
    const text = `${actor.name} has silenced ${matcherText(silence.matchers)} for ${lasts}: ${silence.comment}`;
    await this.#account(actor, 'silence.created', text);
    await this.#audit(actor, 'silence.create', ALL_INSTANCES, null, silence.comment, { ...silence }, text);
    return silence;
  }

  /** @returns null: there is none of that id that holds. */
  async endSilence(actor: Actor, id: string): Promise<Silence | null> {
    const ended = await this.#deps.store.silences.end(id, this.#deps.now());
    if (!ended) return null;
    await this.#deps.alerting.refresh();
    const text = `${actor.name} has ended the silence of ${matcherText(ended.matchers)}.`;
    await this.#account(actor, 'silence.ended', text);
    await this.#audit(actor, 'silence.end', ALL_INSTANCES, null, '', { silence: id }, text);
    return ended;
  }

  /** Takes a rule as it is from now on. */
  async saveRule(actor: Actor, rule: AlertRule, before: AlertRule | null): Promise<void> {
    const { store, alerting, now } = this.#deps;
    await store.rules.put(rule, { actor: actor.name, atMs: now() });
    await alerting.refresh();
    const did = before === null ? 'made' : 'changed';
    await this.#ruleChanged(actor, `${actor.name} has ${did} the rule "${rule.name}".`, did, rule, before);
  }

  async removeRule(actor: Actor, rule: AlertRule): Promise<void> {
    const { store, alerting, now } = this.#deps;
    await store.rules.remove(rule.id, { actor: actor.name, atMs: now() });
    await alerting.refresh();
    await this.#ruleChanged(
      actor,
      `${actor.name} has deleted the rule "${rule.name}".`,
      'deleted',
      null,
      rule,
    );
  }

  testRule(rule: AlertRule): Promise<RuleTest> {
    const { watch, history, now } = this.#deps;
    return testRule(rule, { watch, history, nowMs: now() });
  }

  #view(alert: Alert): AlertView {
    const finding = relatedFinding(alert, this.#deps.watch.findings());
    const [remedy] = finding?.remedies ?? [];
    return {
      alert,
      finding: finding && { key: finding.key, code: finding.code, title: finding.title },
      firstRemedy: remedy ? `${remedy.label}: ${remedy.effect}` : alert.firstRemedy,
      path: this.#deps.pathOf(finding, alert),
      silence: alert.state === 'resolved' ? null : silenceOf(alert, this.silences(), this.#deps.now()),
    };
  }

  async #ruleChanged(
    actor: Actor,
    text: string,
    did: 'made' | 'changed' | 'deleted',
    now: AlertRule | null,
    before: AlertRule | null,
  ): Promise<void> {
    await this.#account(actor, 'alert-rule.changed', text);
    const action = { made: 'alert-rule.create', changed: 'alert-rule.change', deleted: 'alert-rule.delete' }[
      did
    ];
    const id = (now ?? before)?.id ?? '';
    await this.#audit(actor, action, ALL_INSTANCES, null, '', { rule: id }, text, {
      before: before === null ? {} : { rule: JSON.stringify(before) },
      after: now === null ? {} : { rule: JSON.stringify(now) },
    });
  }

  async #account(
    actor: Actor,
    kind: TimelineEntry['kind'],
    text: string,
    instance: string = ALL_INSTANCES,
    queue: string | null = null,
  ): Promise<void> {
    const { timeline, now, newId } = this.#deps;
    await timeline.append({
      id: newId(),
      atMs: now(),
      instance,
      kind,
      queue,
      worker: null,
      text,
      actor: actor.name,
    });
  }

  async #audit(
    actor: Actor,
    action: string,
    instance: string,
    queue: string | null,
    reason: string,
    args: AuditRecord['args'],
    summary: string,
    change: Partial<Pick<AuditRecord, 'before' | 'after'>> = {},
  ): Promise<void> {
    const { audit, now, newId } = this.#deps;
    const auditInput = { action, instance, queue, reason, args, summary, ...change };
    await audit.append(auditOf(newId(), now(), actor, auditInput));
  }
}

/** Which alerts a silence is about, in words. */
export function matcherText(matchers: SilenceMatchers): string {
  const parts = Object.entries(matchers).map(([key, value]) => `${key} ${value}`);
  return parts.length === 0 ? 'everything' : parts.join(', ');
}
