import { CAUSES } from '../findings/follows.js';
import { compareSeverity } from '../findings/track.js';
import type { Alert, AlertGroup, AlertView } from '../model/alert.js';
import type { Severity } from '../model/finding.js';
import type { Silence, SilenceMatchers } from '../model/silence.js';
import { globMatcher } from '../model/text.js';

/**
 * Nobody is notified of an effect while an alert about its cause is pending or fires: that one has the remedies. It goes on
 * to be judged, and they are if it still holds once its cause is over.
 *
 * Which alert explains each of these, all of one instance that are pending or fire.
 * @returns one entry for each that is explained; its own cause explains nothing.
 */
export function inhibitors(active: readonly Alert[]): ReadonlyMap<Alert, Alert> {
  const found = new Map<Alert, Alert>();
  const present = new Set<string>();
  for (const { code } of active) present.add(code);
  for (const { causes, isEffect, within } of CAUSES) {
    if (![...causes].some((cause) => present.has(cause))) continue;
    const sources = active.filter(({ code }) => causes.has(code));
    for (const alert of active) {
      if (found.has(alert) || causes.has(alert.code) || !isEffect(alert.code)) continue;
      const source = sources.find(
        (one) =>
          // A warning must not keep anybody from being woken by what somebody has called critical.
          compareSeverity(one.severity, alert.severity) <= 0 &&
          (within === 'instance' || isSameQueue(one, alert)),
      );
      if (source) found.set(alert, source);
    }
  }
  return found;
}

/** A cause that stands for many queues is about each of them. */
function isSameQueue(cause: Alert, effect: Alert): boolean {
  return cause.subject.queue === null || cause.subject.queue === effect.subject.queue;
}

/** The silence that keeps an alert quiet for the longest; null: none does. */
export function silenceOf(
  alert: Pick<Alert, 'ruleId' | 'code' | 'subject' | 'severity'>,
  silences: readonly Silence[],
  nowMs: number,
): Silence | null {
  let longest: Silence | null = null;
  for (const silence of silences) {
    if (silence.startsAtMs > nowMs || silence.endsAtMs <= nowMs) continue;
    if (longest !== null && longest.endsAtMs >= silence.endsAtMs) continue;
    if (isMeant(alert, silence.matchers)) longest = silence;
  }
  return longest;
}

function isMeant(
  { ruleId, code, subject, severity }: Pick<Alert, 'ruleId' | 'code' | 'subject' | 'severity'>,
  matchers: SilenceMatchers,
): boolean {
  const fits = (glob: string | undefined, text: string | null): boolean =>
    glob === undefined || (text === null ? glob === '*' : globMatcher(glob)(text));
  return (
    fits(matchers.rule, ruleId) &&
    fits(matchers.code, code) &&
    fits(matchers.instance, subject.instance) &&
    fits(matchers.queue, subject.queue) &&
    fits(matchers.type, subject.type) &&
    (matchers.severity === undefined || matchers.severity === severity)
  );
}

export interface GroupTiming {
  /** Before the first message of a group, so that what comes together is one message. */
  readonly waitMs: Readonly<Record<Severity, number>>;
  /** Between two messages of a group, unless it has become worse. */
  readonly intervalMs: number;
  /** After which the message of a group that still fires is sent again. */
  readonly repeatMs: number;
}

export const DEFAULT_GROUP_TIMING: GroupTiming = {
  waitMs: { critical: 0, warning: 10_000, info: 10_000 },
  intervalMs: 60_000,
  repeatMs: 4 * 3_600_000,
};

/** A message that is due: the alerts of one cause in one instance, worst first. */
export interface DueMessage {
  /** Instance and cause. */
  readonly groupKey: string;
  readonly instance: string;
  readonly status: 'firing' | 'resolved';
  readonly severity: Severity;
  /** Those that fire and those whose end has not been sent, worst first. */
  readonly alerts: readonly Alert[];
  /** The same for the same news, however often it is worked out: what makes a message out of it twice one message. */
  readonly newsKey: string;
}

/** Of one message: beyond this nobody reads. The title has the number of the others, and the console has each. */
export const MAX_ALERTS_IN_MESSAGE = 50;

/**
 * Which messages are due. Pure: all that it goes by is in the alerts (what was sent of each, and when), so after a
 * restart it goes on where it was.
 * @param alerts that fire, or that are resolved and were sent while they fired.
 */
export function dueMessages(
  alerts: readonly Alert[],
  silences: readonly Silence[],
  timing: GroupTiming,
  nowMs: number,
): readonly DueMessage[] {
  const groups = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const key = groupKeyOf(alert);
    const group = groups.get(key);
    if (group) group.push(alert);
    else groups.set(key, [alert]);
  }
  return [...groups].flatMap(([groupKey, group]) => dueOf(groupKey, group, silences, timing, nowMs) ?? []);
}

export function groupKeyOf({ subject, code, ruleId }: Alert): string {
  return JSON.stringify([subject.instance, code.startsWith('signal:') ? ruleId : code]);
}

function dueOf(
  groupKey: string,
  group: readonly Alert[],
  silences: readonly Silence[],
  timing: GroupTiming,
  nowMs: number,
): DueMessage | null {
  const ended = group.filter(({ state, notified }) => state === 'resolved' && notified?.status === 'firing');
  const firing = group.filter((alert) => alert.state === 'firing' && isAudible(alert, silences, nowMs));
  const worse = firing.filter(({ notified, severity }) => isNews(notified?.severity ?? null, severity));
  const news = [...worse, ...ended];
  const lastSentMs = Math.max(...group.map(({ notified }) => notified?.atMs ?? Number.NEGATIVE_INFINITY));
  const isDue =
    news.length === 0
      ? isToBeRepeated(firing, lastSentMs, timing, nowMs)
      : lastSentMs === Number.NEGATIVE_INFINITY
        ? worse.some(({ firedAtMs, severity }) => nowMs - (firedAtMs ?? nowMs) >= timing.waitMs[severity])
        : nowMs - lastSentMs >= timing.intervalMs || isEscalation(worse, group);
  const alerts = [...firing, ...ended].sort(compareAlerts);
  const [worst] = alerts;
  if (!isDue || !worst) return null;
  return {
    groupKey,
    instance: worst.subject.instance,
    status: firing.length > 0 ? 'firing' : 'resolved',
    severity: worst.severity,
    alerts,
    newsKey: JSON.stringify([
      groupKey,
      Number.isFinite(lastSentMs) ? lastSentMs : 0,
      alerts.map(({ id, state, severity }) => [id, state, severity]),
    ]),
  };
}

/** Explained by another alert, or silenced: not now. It is sent should it still fire after that. */
function isAudible(alert: Alert, silences: readonly Silence[], nowMs: number): boolean {
  return alert.inhibitedBy === null && silenceOf(alert, silences, nowMs) === null;
}

function isNews(sent: Severity | null, now: Severity): boolean {
  return sent === null || compareSeverity(now, sent) < 0;
}

/** Something worse than all that was sent of the group. */
function isEscalation(worse: readonly Alert[], group: readonly Alert[]): boolean {
  const notified = group.flatMap(({ notified: one }) => (one?.status === 'firing' ? [one.severity] : []));
  return worse.some(({ severity }) => notified.every((one) => compareSeverity(severity, one) < 0));
}

/** Who has acknowledged it knows. */
function isToBeRepeated(
  firing: readonly Alert[],
  lastSentMs: number,
  { repeatMs }: GroupTiming,
  nowMs: number,
): boolean {
  return nowMs - lastSentMs >= repeatMs && firing.some(({ acknowledged }) => acknowledged === null);
}

/** Worst first: those that fire, severity, then the longest. */
export function compareAlerts(a: Alert, b: Alert): number {
  const byState = Number(a.state === 'resolved') - Number(b.state === 'resolved');
  return (
    byState || compareSeverity(a.severity, b.severity) || a.sinceMs - b.sinceMs || (a.key < b.key ? -1 : 1)
  );
}

/**
 * Open alerts by their cause. What follows from another stands with it, whether that one fires already or is pending.
 * @param open in the order of `AlertCommands.open`, which is that of the groups.
 */
export function groupByCause(open: readonly AlertView[]): readonly AlertGroup[] {
  const heads = new Map<string, { head: AlertView; alike: AlertView[]; following: AlertView[] }>();
  const roots = open.filter(({ alert }) => alert.inhibitedBy === null);
  for (const view of roots) {
    const key = groupKeyOf(view.alert);
    const known = heads.get(key);
    if (known) known.alike.push(view);
    else heads.set(key, { head: view, alike: [], following: [] });
  }
  for (const view of open) {
    const { inhibitedBy, subject } = view.alert;
    if (inhibitedBy === null) continue;
    const group = [...heads.values()].find(({ head, alike }) =>
      [head, ...alike].some(
        ({ alert }) => alert.ruleName === inhibitedBy && alert.subject.instance === subject.instance,
      ),
    );
    if (group) group.following.push(view);
    // Its cause is over, and it is not yet known whether it still holds.
    else heads.set(view.alert.id, { head: view, alike: [], following: [] });
  }
  return [...heads.values()];
}
