import type { AlertProps } from '../../../views/alert-list.js';
import type { RuleRowProps } from '../../../views/alert-rule-table.js';
import type { AlertStateProps } from '../../../views/alerts-page.js';
import { instancePath, queuePath } from '../../../views/links.js';
import type { SilenceFormProps } from '../../../views/silence-form.js';
import { coarseAge, elementId, moment } from '../../../views/words.js';
import type { AlertView } from '../../alerts/alert-commands.js';
import { matcherText } from '../../alerts/alert-commands.js';
import { describeCondition, subjectName } from '../../alerts/describe.js';
import type { StoredRule } from '../../alerts/rules-store.js';
import { briefOf } from '../../model/brief.js';
import { formatDuration, formatThings } from '../../model/format.js';
import { includesRole, type Role } from '../../model/role.js';
import { plainName, plainSentence } from '../../model/words.js';
import type { SignalSubject } from '../../signals/signal.js';
import type { AppDeps } from '../app-deps.js';

const MAX_FIRING = 100;
const MAX_OTHERS = 30;
const DAY_MS = 24 * 3_600_000;

/** Everything on the page of alerts that changes by itself. */
export async function alertStateOf(deps: AppDeps, role: Role): Promise<AlertStateProps> {
  const nowMs = deps.now();
  const [open, over] = await Promise.all([
    deps.alerts.open(),
    deps.alerts.resolved({ sinceMs: nowMs - DAY_MS, limit: MAX_OTHERS }),
  ]);
  const firing = open.filter(({ alert }) => alert.state === 'firing');
  const pending = open.filter(({ alert }) => alert.state === 'pending');
  const quiet = firing.filter(({ alert, silence }) => silence !== null || alert.inhibitedBy !== null).length;
  // Those that nobody is told of come after those that somebody has to see.
  const ranked = firing
    .filter((view) => !isFollowing(view))
    .sort((a, b) => Number(a.silence !== null) - Number(b.silence !== null));
  const problem = deps.alerting.problem();
  return {
    summary: [
      firing.length === 0 ? 'Nothing fires' : `${formatThings(firing.length, 'alert')} firing`,
      ...(quiet > 0 ? [`${quiet} of them silenced or explained by another`] : []),
      ...(firing.length > MAX_FIRING ? [`the first ${MAX_FIRING} are shown`] : []),
      ...(problem === null ? [] : [`not kept on disk at present: ${problem}`]),
    ].join(', '),
    firing: ranked.slice(0, MAX_FIRING).map((view) => alertOf(view, role, nowMs)),
    pending: pending
      .filter((view) => !isFollowing(view))
      .slice(0, MAX_OTHERS)
      .map((view) => alertOf(view, role, nowMs)),
    following: open
      .filter(isFollowing)
      .slice(0, MAX_OTHERS)
      .map((view) => alertOf(view, role, nowMs)),
    resolved: over.map((view) => alertOf(view, role, nowMs)),
    silences: deps.alerting.silences().map((silence) => ({
      what: plainName(matcherText(silence.matchers)),
      why: `${plainName(silence.reason)} (${plainName(silence.author)})`,
      left: `${coarseAge((silence.endsAtMs - nowMs) / 1000, 10)} left`,
      endAction: includesRole(role, 'operator')
        ? `/alerts/silences/${encodeURIComponent(silence.id)}/end`
        : null,
    })),
  };
}

/** What somebody wrote, before another sentence. */
function ended(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

function isFollowing({ alert }: AlertView): boolean {
  return alert.inhibitedBy !== null;
}

function alertOf(
  { alert, finding, firstRemedy, path, silence }: AlertView,
  role: Role,
  nowMs: number,
): AlertProps {
  const { id, state, acknowledged, inhibitedBy, seen, sinceMs, resolvedAtMs, runbookUrl } = alert;
  const mayAct = includesRole(role, 'operator') && state !== 'resolved';
  const age = coarseAge(((resolvedAtMs ?? nowMs) - sinceMs) / 1000, 5);
  const word = { pending: 'holds for', firing: 'for', resolved: 'lasted' }[state];
  return {
    id: elementId('alert', id),
    severity: alert.severity,
    rule: alert.ruleName,
    brief: state === 'resolved' ? { ...briefOf(alert), action: '' } : briefOf(alert),
    subject: { text: plainName(subjectName(alert.subject)), href: subjectHref(alert.subject) },
    evidence: alert.evidence,
    since: moment(sinceMs, nowMs),
    age: `${word} ${age}`,
    notes: [
      ...(acknowledged && state !== 'resolved'
        ? [
            `${plainName(acknowledged.actor)} knows${acknowledged.reason ? `: ${ended(plainSentence(acknowledged.reason))}` : '.'}`,
          ]
        : []),
      ...(inhibitedBy !== null && state !== 'resolved' ? [`Follows from "${inhibitedBy}".`] : []),
      ...(silence
        ? [`Silenced by ${plainName(silence.author)}: ${ended(plainSentence(silence.reason))}`]
        : []),
      ...(seen === 'unknown' && state !== 'resolved' ? ['Not known at the last look: the state holds.'] : []),
    ],
    remedy:
      state === 'resolved' || finding === null ? null : { text: firstRemedy ?? finding.headline, href: path },
    runbookUrl: state === 'resolved' ? null : runbookUrl,
    acknowledgeAction:
      mayAct && acknowledged === null ? `/alerts/${encodeURIComponent(id)}/acknowledge` : null,
    silenceHref: mayAct && silence === null ? `/alerts?silence=${encodeURIComponent(id)}#silence` : null,
  };
}

function subjectHref({ instance, queue }: SignalSubject): string {
  return queue === null ? instancePath(instance) : queuePath(instance, queue);
}

const DURATIONS = [3600, 4 * 3600, 24 * 3600, 7 * 24 * 3600];

/** The form that silences one alert; null: there is none of that id. */
export async function silenceFormOf(
  deps: AppDeps,
  id: string | undefined,
  problems: readonly string[],
): Promise<SilenceFormProps | null> {
  if (id === undefined) return null;
  const alert = (await deps.alerts.open()).find((view) => view.alert.id === id)?.alert;
  if (!alert) return null;
  const { instance, queue, type } = alert.subject;
  const matchers = { rule: alert.ruleId, instance, queue, type };
  return {
    what: `"${alert.ruleName}" about ${plainName(subjectName(alert.subject))}`,
    matchers: Object.entries(matchers).flatMap(([name, value]) => (value === null ? [] : [{ name, value }])),
    durations: DURATIONS.map((seconds) => ({ seconds, label: formatDuration(seconds) })),
    problems,
  };
}

const SOURCES = { default: 'default', user: 'edited here', file: 'config file' } as const;

export function ruleRowsOf(
  rules: readonly StoredRule[],
  open: readonly AlertView[],
): readonly RuleRowProps[] {
  const firing = new Map<string, number>();
  for (const { alert } of open)
    if (alert.state === 'firing') firing.set(alert.ruleId, (firing.get(alert.ruleId) ?? 0) + 1);
  return rules.map(({ rule, source, updatedBy }) => {
    const { instance, queue, type } = rule.scope;
    const parts = [
      ...(instance === '*' ? [] : [`Redis ${instance}`]),
      ...(queue === '*' ? [] : [`queues ${queue}`]),
      ...(type === '*' ? [] : [`types ${type}`]),
    ];
    return {
      name: rule.name,
      href: `/alerts/rules/${rule.id}`,
      isEnabled: rule.isEnabled,
      severity: rule.severity === 'finding' ? 'as found' : rule.severity,
      condition: describeCondition(rule.condition),
      scope: parts.length === 0 ? 'everything' : parts.join(', '),
      patience: rule.forMs === 0 ? 'at once' : formatDuration(rule.forMs / 1000),
      source: source === 'default' && updatedBy !== null ? 'default, edited' : SOURCES[source],
      firing: String(firing.get(rule.id) ?? 0),
    };
  });
}
