import { createHash } from 'node:crypto';
import type { Alert } from '../model/alert.js';
import { type Brief, briefOf, headlineOf } from '../model/brief.js';
import type { Finding, Severity } from '../model/finding.js';
import type { SignalSubject } from '../signals/signal.js';
import { remedyText } from './describe.js';
import { type DueMessage, groupKeyOf, MAX_ALERTS_IN_MESSAGE } from './grouping.js';

/** One alert in a message: in the words of the alert, which hold no job data. */
export interface AlertNotice extends Brief {
  /** The same as long as rule and subject are: what Alertmanager and PagerDuty deduplicate by. */
  readonly fingerprint: string;
  readonly alertId: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly subject: SignalSubject;
  readonly status: 'firing' | 'resolved';
  readonly startsAtMs: number;
  /** null: it still fires. */
  readonly endsAtMs: number | null;
  /** The number behind it as text with unit, such as `87% of 512 MB`; null: the rule is about absence. */
  readonly evidence: string | null;
  readonly runbookUrl: string | null;
}

/** What a channel is handed: the alerts of one group, which have one cause. */
export interface Notification {
  /** The same for each try to deliver it, so that whoever receives it twice can know it. */
  readonly id: string;
  /** The same from the group's first message to its last. */
  readonly groupKey: string;
  /** `acknowledged`: somebody knows of what was sent as firing; for channels alone that take it. */
  readonly status: 'firing' | 'acknowledged' | 'resolved';
  /** Of the worst alert in it. */
  readonly severity: Severity;
  readonly instance: string;
  /** That of the worst alert, and how many others. */
  readonly headline: string;
  readonly sinceMs: number;
  readonly alerts: readonly AlertNotice[];
  /** Label and effect of the first remedy of the finding behind it; null: none is known. */
  readonly firstRemedy: string | null;
  /** Path and query that open the console at that finding, such as `/#finding-…`; the channel puts the public URL before. */
  readonly path: string;
  readonly createdAtMs: number;
}

/**
 * The finding that an alert leads to: its own, else that of the same job type, queue or process, else the worst that
 * explains it. null: the console has found nothing about it.
 * @param findings worst first.
 */
export function relatedFinding(
  { findingKey, subject }: Pick<Alert, 'findingKey' | 'subject'>,
  findings: readonly Finding[],
): Finding | null {
  const here = findings.filter(({ instance }) => instance === subject.instance);
  if (findingKey !== null) {
    const own = here.find(({ key }) => key === findingKey);
    if (own) return own;
  }
  const { queue, type } = subject;
  if (queue === null)
    return findingKey === null ? (here.find((one) => one.queue === null && isAboutRedis(one)) ?? null) : null;
  const ofQueue = here.filter((one) => one.queue === queue || one.queues?.includes(queue));
  return (
    (type === null ? undefined : ofQueue.find(({ jobType }) => jobType === type)) ??
    ofQueue[0] ??
    here.find(({ explains }) => explains?.some((one) => one.queue === queue)) ??
    null
  );
}

function isAboutRedis({ code }: Finding): boolean {
  return code.startsWith('redis.') || code.startsWith('console.');
}

/** Where the console shows an alert: at its finding, or on the page of alerts where there is none. */
export type PathOf = (finding: Finding | null) => string;

/** The same as long as rule and subject are; short enough for every receiver (PagerDuty takes 255 characters). */
export function alertFingerprint({ key }: Pick<Alert, 'key'>): string {
  return digest(key);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** That somebody knows of all of these alerts that fire: one message, however often it is made. null: nobody does, or none fires. */
export function acknowledgementOf(alerts: readonly Alert[], nowMs: number): Notification | null {
  const [alert, ...others] = alerts.filter(({ state }) => state === 'firing');
  if (!alert || [alert, ...others].some(({ acknowledged }) => acknowledged === null)) return null;
  const by = alert.acknowledged?.actor ?? 'somebody';
  return {
    id: digest(JSON.stringify(['acknowledged', alert.id])),
    groupKey: digest(groupKeyOf(alert)),
    status: 'acknowledged',
    severity: alert.severity,
    instance: alert.subject.instance,
    headline: headlineOf(alert.headline, `, acknowledged by ${by.slice(0, 20).toWellFormed()}`),
    sinceMs: alert.sinceMs,
    alerts: [noticeOf(alert)],
    firstRemedy: null,
    path: '/alerts',
    createdAtMs: nowMs,
  };
}

/** The message that is due, for channels. Its id is made of its news: tried twice, it is one message. */
export function notificationOf(
  due: DueMessage,
  findings: readonly Finding[],
  pathOf: PathOf,
  nowMs: number,
): Notification {
  const [worst] = due.alerts;
  if (!worst) throw new Error('a message is about at least one alert');
  const finding = relatedFinding(worst, findings);
  return {
    id: digest(due.newsKey),
    groupKey: digest(due.groupKey),
    status: due.status,
    severity: due.severity,
    instance: due.instance,
    headline: headlineOfAll(due, worst),
    sinceMs: Math.min(...due.alerts.map(({ sinceMs }) => sinceMs)),
    alerts: due.alerts.slice(0, MAX_ALERTS_IN_MESSAGE).map(noticeOf),
    firstRemedy: remedyText(finding) ?? worst.firstRemedy,
    path: pathOf(finding),
    createdAtMs: nowMs,
  };
}

function headlineOfAll({ alerts, status }: DueMessage, worst: Alert): string {
  const meant = alerts.filter(({ state }) => (status === 'firing') === (state !== 'resolved'));
  const others = meant.length - 1;
  return others > 0 ? headlineOf(worst.headline, ` and ${others} more`) : worst.headline;
}

function noticeOf(alert: Alert): AlertNotice {
  return {
    fingerprint: alertFingerprint(alert),
    alertId: alert.id,
    rule: alert.ruleName,
    severity: alert.severity,
    subject: alert.subject,
    status: alert.state === 'resolved' ? 'resolved' : 'firing',
    startsAtMs: alert.sinceMs,
    endsAtMs: alert.resolvedAtMs,
    ...briefOf(alert),
    evidence: alert.evidence,
    runbookUrl: alert.runbookUrl,
  };
}
