import type { HistoryLog } from '../history/history-log.js';
import { type Alert, type AlertView, subjectName } from '../model/alert.js';
import type { AuditLog } from '../model/audit-record.js';
import { formatDuration } from '../model/format.js';
import type { ChangeBy } from '../model/role.js';
import { matcherText, type Silence, type SilenceAsk } from '../model/silence.js';
import { ALL_INSTANCES, type TimelineEntry, type TimelineLog } from '../model/timeline-entry.js';
import { type AuditInput, auditOf } from '../timeline/audit-log.js';
import type { Watch } from '../watch/watch.js';
import type { AlertingStore } from './alert-store.js';
import type { Alerting } from './alerting.js';
import { type RuleTest, testRule } from './backtest.js';
import { remedyText } from './describe.js';
import { compareAlerts, silenceOf } from './grouping.js';
import type { PathOf } from './notification.js';
import { relatedFinding } from './notification.js';
import type { AlertRule } from './rule.js';

interface AlertCommandsDeps {
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

/** What people and programs see of alerts and do about them. What they do is kept with who did it before it is answered. */
export class AlertCommands {
  readonly #deps: AlertCommandsDeps;

  constructor(deps: AlertCommandsDeps) {
    this.#deps = deps;
  }

  /** Firing alerts that nobody has silenced and nothing explains: what the menu counts. Without waiting. */
  firingCount(isSeen: (alert: Alert) => boolean = () => true): number {
    const { alerting, now } = this.#deps;
    const [nowMs, silences] = [now(), alerting.silences()];
    return alerting
      .openNow()
      .filter(
        (alert) =>
          alert.state === 'firing' &&
          isSeen(alert) &&
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
  async acknowledge(by: ChangeBy, id: string): Promise<AlertView | null> {
    const { alerting, now } = this.#deps;
    const { actor, reason = '' } = by;
    const acknowledged = { actor: actor.name, atMs: now(), reason };
    if (by.isDryRun) {
      const known = (await alerting.open()).find((alert) => alert.id === id);
      return known ? this.#view({ ...known, acknowledged }) : null;
    }
    const alert = await alerting.acknowledge(id, acknowledged);
    if (!alert) return null;
    const { ruleName, subject } = alert;
    const text = `${actor.name} has acknowledged "${ruleName}" about ${subjectName(subject)}${reasonText(reason)}`;
    const { instance, queue } = subject;
    const audited = { action: 'alert.acknowledge', args: { alert: id }, instance, queue };
    await this.#record(by, 'alert.acknowledged', text, audited);
    return this.#view(alert);
  }

  /** @returns null: there are as many silences as there may be. */
  async silence(by: ChangeBy, asked: SilenceAsk): Promise<Silence | null> {
    const { store, alerting, now, newId } = this.#deps;
    const { actor, reason = '' } = by;
    const given = Object.entries(asked.matchers).filter(([, value]) => value !== undefined);
    const startsAtMs = now();
    const endsAtMs = startsAtMs + asked.durationSeconds * 1000;
    const matchers = Object.fromEntries(given);
    const silence: Silence = { id: newId(), author: actor.name, startsAtMs, endsAtMs, reason, matchers };
    if (by.isDryRun) return (await store.silences.hasRoom(silence.startsAtMs)) ? silence : null;
    if (!(await store.silences.add(silence))) return null;
    await alerting.refresh();
    const lasts = formatDuration((silence.endsAtMs - silence.startsAtMs) / 1000);
    const text = `${actor.name} has silenced ${matcherText(silence.matchers)} for ${lasts}${reasonText(reason)}`;
    await this.#record(by, 'silence.created', text, { action: 'silence.create', args: { ...silence } });
    return silence;
  }

  /** @returns as it was; null: there is none of that id that holds. */
  async endSilence(by: ChangeBy, id: string): Promise<Silence | null> {
    const { store, alerting, now } = this.#deps;
    if (by.isDryRun) return (await store.silences.active(now())).find((silence) => silence.id === id) ?? null;
    const ended = await store.silences.end(id, now());
    if (!ended) return null;
    await alerting.refresh();
    const text = `${by.actor.name} has ended the silence of ${matcherText(ended.matchers)}.`;
    await this.#record(by, 'silence.ended', text, { action: 'silence.end', args: { silence: id } });
    return ended;
  }

  /** Takes a rule as it is from now on. @param before null: it is new. */
  async saveRule(by: ChangeBy, rule: AlertRule, before: AlertRule | null): Promise<void> {
    const { store, now } = this.#deps;
    if (by.isDryRun) return;
    await store.rules.put(rule, { actor: by.actor.name, atMs: now() });
    await this.#recordRule(by, before === null ? 'create' : 'change', rule, before);
  }

  async removeRule(by: ChangeBy, rule: AlertRule): Promise<void> {
    const { store, now } = this.#deps;
    if (by.isDryRun) return;
    await store.rules.remove(rule.id, { actor: by.actor.name, atMs: now() });
    await this.#recordRule(by, 'delete', null, rule);
  }

  /** What a rule would have done over the last day, and for whom it holds now. */
  testRule(rule: AlertRule): Promise<RuleTest> {
    const { watch, history, now } = this.#deps;
    return testRule(rule, { watch, history, nowMs: now() });
  }

  #view(alert: Alert): AlertView {
    const finding = relatedFinding(alert, this.#deps.watch.findings());
    return {
      alert,
      finding: finding && {
        key: finding.key,
        code: finding.code,
        headline: finding.headline,
      },
      firstRemedy: remedyText(finding) ?? alert.firstRemedy,
      path: this.#deps.pathOf(finding),
      silence:
        alert.state === 'resolved'
          ? null
          : silenceOf(alert, this.#deps.alerting.silences(), this.#deps.now()),
    };
  }

  async #recordRule(
    by: ChangeBy,
    change: keyof typeof CHANGES,
    rule: AlertRule | null,
    before: AlertRule | null,
  ): Promise<void> {
    await this.#deps.alerting.refresh();
    const { id, name } = rule ?? before ?? { id: '', name: '' };
    const text = `${by.actor.name} has ${CHANGES[change]} the rule "${name}".`;
    const asText = (one: AlertRule | null) => (one === null ? {} : { rule: JSON.stringify(one) });
    await this.#record(by, 'alert-rule.changed', text, {
      action: `alert-rule.${change}`,
      args: { rule: id },
      before: asText(before),
      after: asText(rule),
    });
  }

  /** In the timeline and in the audit log: about everything unless it says otherwise. */
  async #record(
    { actor, reason = '' }: ChangeBy,
    kind: TimelineEntry['kind'],
    text: string,
    audited: Omit<AuditInput, 'instance' | 'summary' | 'reason'> & { readonly instance?: string },
  ): Promise<void> {
    const { timeline, audit, now, newId } = this.#deps;
    const { instance = ALL_INSTANCES, queue = null } = audited;
    const atMs = now();
    await timeline.append({
      id: newId(),
      atMs,
      instance,
      kind,
      queue,
      worker: null,
      text,
      actor: actor.name,
    });
    await audit.append(auditOf(newId(), atMs, actor, { ...audited, reason, instance, summary: text }));
  }
}

const CHANGES = { create: 'made', change: 'changed', delete: 'deleted' } as const;

function reasonText(reason: string): string {
  return reason === '' ? '.' : `: ${reason}`;
}
