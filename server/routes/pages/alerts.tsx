import { type Context, Hono } from 'hono';
import { RulePage, type RuleTestProps, RuleTestResult } from '../../../views/alert-rule-page.js';
import type { RuleRowProps, SilenceFormProps } from '../../../views/alerts-page.js';
import { AlertState, type AlertStateProps, AlertsPage, RulesPage } from '../../../views/alerts-page.js';
import { moment } from '../../../views/words.js';
import { testSummary } from '../../alerts/backtest.js';
import { ruleInWords } from '../../alerts/describe.js';
import { groupByCause } from '../../alerts/grouping.js';
import type { AlertRule } from '../../alerts/rule.js';
import { ruleText } from '../../alerts/rule.js';
import type { StoredRule } from '../../alerts/rules-store.js';
import { type AlertGroup, subjectName } from '../../model/alert.js';
import { formatDuration } from '../../model/format.js';
import { includesRole, type Role } from '../../model/role.js';
import { SilenceAskSchema } from '../../model/silence.js';
import { plainName } from '../../model/words.js';
import type { AppDeps } from '../app-deps.js';
import { type GateEnv, requireRole } from '../gate.js';
import type { LiveView } from '../live/hub.js';
import { html, swapPart } from '../live/hub.js';
import { Problem } from '../problem.js';
import { editableRule, findRule, newRuleId } from '../rule-commands.js';
import { askOfRule, CONDITION_WORDS, KINDS, kindOf, ruleFieldsOf, valuesOf } from './alert-rule-ask.js';
import { chromeOf } from './chrome.js';
import { frameParts } from './overview.js';

type PageContext = Context<GateEnv>;
type Values = Readonly<Record<string, string>>;
const NO_TEST: RuleTestProps = { summary: '', firings: [], problems: [] };
const MAX_FIRINGS = 10;

/** The page of alerts, its forms and the editor of rules; they act by the same functions as the API. */
export function alertRoutes(deps: AppDeps): Hono<GateEnv> {
  const { alerts } = deps;
  const routes = new Hono<GateEnv>();
  routes.get('/alerts', (c) => firingPage(deps, c, c.req.query('silence')));
  routes.get('/alerts/rules', (c) => rulesPage(deps, c));
  routes.post('/alerts/silences', requireRole('operator'), (c) => silence(deps, c));
  routes.post('/alerts/silences/:id/end', requireRole('operator'), async (c) => {
    await alerts.endSilence({ actor: c.get('actor') }, c.req.param('id'));
    return c.redirect('/alerts', 303);
  });
  routes.post('/alerts/rules/try', requireRole('operator'), (c) => tryRule(deps, c));
  routes.get('/alerts/rules/new', requireRole('admin'), (c) => rulePage(deps, c, null, {}, NO_TEST));
  routes.post('/alerts/rules', requireRole('admin'), (c) => save(deps, c, null));
  routes.get('/alerts/rules/:id', (c) => {
    const found = findRule(deps, c.req.param('id'));
    return rulePage(deps, c, found, valuesOf(ruleText(found.rule)), NO_TEST);
  });
  routes.post('/alerts/rules/:id', requireRole('admin'), (c) =>
    save(deps, c, editableRule(deps, c.req.param('id'))),
  );
  routes.post('/alerts/rules/:id/delete', requireRole('admin'), async (c) => {
    await alerts.removeRule({ actor: c.get('actor') }, editableRule(deps, c.req.param('id')).rule);
    return c.redirect('/alerts/rules', 303);
  });
  routes.post('/alerts/acknowledge', requireRole('operator'), async (c) => {
    const { alert = [] } = await c.req.parseBody({ all: true });
    const ids = [alert].flat().filter((id) => typeof id === 'string');
    for (const id of ids.slice(0, MAX_GROUPS)) await alerts.acknowledge({ actor: c.get('actor') }, id);
    return c.redirect('/alerts', 303);
  });
  return routes;
}

/** What changes on the page of alerts. The store is asked in the background: a stream never waits. */
export function alertsLive(deps: AppDeps, role: Role): LiveView {
  let last: string | null = null;
  return {
    key: `alerts|${role}`,
    render: () => {
      stateOfAlerts(deps, role)
        .then((state) => {
          last = html(<AlertState {...state} />);
        })
        // The page says by itself that alerts are not kept.
        .catch(() => undefined);
      const nowMs = deps.now();
      return [
        ...frameParts(deps, nowMs, 'Alerts'),
        ...(last === null ? [] : [swapPart('alert-state', last)]),
      ];
    },
  };
}

async function firingPage(deps: AppDeps, c: PageContext, silencing: string | undefined): Promise<Response> {
  const actor = c.get('actor');
  const nowMs = deps.now();
  const frame = { actor, nowMs, current: '/alerts', subject: 'Alerts', liveUrl: '/live?view=alerts' };
  const [state, silenceForm] = await Promise.all([
    stateOfAlerts(deps, actor.role),
    includesRole(actor.role, 'operator') ? silenceFormOf(deps, silencing) : null,
  ]);
  return c.html(<AlertsPage chrome={chromeOf(deps, frame)} state={state} silenceForm={silenceForm} />);
}

const MAX_GROUPS = 100;
const MAX_RESOLVED = 30;
const DAY_MS = 24 * 3_600_000;

/** Everything about alerts that changes by itself. */
async function stateOfAlerts(deps: AppDeps, role: Role): Promise<AlertStateProps> {
  const nowMs = deps.now();
  const [open, resolved] = await Promise.all([
    deps.alerts.open(),
    deps.alerts.resolved({ sinceMs: nowMs - DAY_MS, limit: MAX_RESOLVED }),
  ]);
  const groups = groupByCause(open);
  const fires = ({ head, alike, following }: AlertGroup): boolean =>
    [head, ...alike, ...following].some(({ alert }) => alert.state === 'firing');
  return {
    reader: { role, nowMs },
    // Those that nobody is notified of come after those that somebody has to see.
    firing: groups
      .filter(fires)
      .sort((a, b) => Number(a.head.silence !== null) - Number(b.head.silence !== null))
      .slice(0, MAX_GROUPS),
    pending: groups.filter((group) => !fires(group)).slice(0, MAX_GROUPS),
    resolved,
    silences: deps.alerting.silences(),
    hasChannel: deps.messaging.channels.length > 0,
    problem: deps.alerting.problem(),
  };
}

const DURATIONS = [3600, 4 * 3600, 24 * 3600, 7 * 24 * 3600];

/** The form that silences an alert, or all of its cause where there are several; null: there is none of that id. */
async function silenceFormOf(deps: AppDeps, id: string | undefined): Promise<SilenceFormProps | null> {
  if (id === undefined) return null;
  const open = await deps.alerts.open();
  const group = groupByCause(open).find(({ head }) => head.alert.id === id);
  const alert = group?.head.alert ?? open.find((view) => view.alert.id === id)?.alert;
  if (!alert) return null;
  const { instance, queue, type } = alert.subject;
  const isOfMany = (group?.alike.length ?? 0) > 0;
  const matchers: Readonly<Record<string, string | null>> = isOfMany
    ? { code: alert.code, instance }
    : { rule: alert.ruleId, instance, queue, type };
  return {
    what: `"${alert.ruleName}" about ${isOfMany ? `Redis ${plainName(instance)}` : plainName(subjectName(alert.subject))}`,
    matchers: Object.entries(matchers).flatMap(([name, value]) => (value === null ? [] : [{ name, value }])),
    durations: DURATIONS.map((seconds) => ({ seconds, label: formatDuration(seconds) })),
  };
}

async function rulesPage(deps: AppDeps, c: PageContext): Promise<Response> {
  const actor = c.get('actor');
  const frame = { actor, nowMs: deps.now(), current: '/alerts/rules', subject: 'Alert rules' };
  const firing = new Map<string, number>();
  for (const { alert } of await deps.alerts.open())
    if (alert.state === 'firing') firing.set(alert.ruleId, (firing.get(alert.ruleId) ?? 0) + 1);
  return c.html(
    <RulesPage
      chrome={chromeOf(deps, { ...frame, liveUrl: '/live?view=frame' })}
      rules={deps.alerting.rules().map((stored) => ruleRowOf(stored, firing.get(stored.rule.id) ?? 0))}
      canEdit={includesRole(actor.role, 'admin')}
    />,
  );
}

const SOURCES = { default: 'default', user: 'edited here', file: 'config file' } as const;

function ruleRowOf({ rule, source, updatedBy }: StoredRule, firing: number): RuleRowProps {
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
    severity: rule.severity === 'finding' ? 'from problem' : rule.severity,
    when: ruleInWords(rule),
    scope: parts.length === 0 ? 'all' : parts.join(', '),
    source: source === 'default' && updatedBy !== null ? 'default, edited' : SOURCES[source],
    firing,
  };
}

async function silence(deps: AppDeps, c: PageContext): Promise<Response> {
  const { comment = '', durationSeconds, ...given } = await formOf(c);
  if (comment.trim() === '' || comment.length > 300)
    throw new Problem(422, 'invalid-request', 'a silence takes a reason of at most 300 characters');
  const parsed = SilenceAskSchema.safeParse({ matchers: given, durationSeconds: Number(durationSeconds) });
  if (!parsed.success)
    throw new Problem(422, 'invalid-request', parsed.error.issues.map(({ message }) => message).join('; '));
  const made = await deps.alerts.silence({ actor: c.get('actor'), reason: comment.trim() }, parsed.data);
  if (!made) throw new Problem(409, 'too-many', 'there are 500 silences: end some first');
  return c.redirect('/alerts', 303);
}

/** The preview alone for the script, the whole page again without it. */
async function tryRule(deps: AppDeps, c: PageContext): Promise<Response> {
  const values = await formOf(c);
  const ask = askOfRule(values, 'test');
  const test = ask.rule ? await tested(deps, ask.rule) : { ...NO_TEST, problems: ask.problems };
  if (c.req.header('hx-request')) return c.html(<RuleTestResult {...test} />);
  return rulePage(deps, c, null, values, test);
}

async function save(deps: AppDeps, c: PageContext, before: StoredRule | null): Promise<Response> {
  const values = await formOf(c);
  const ask = askOfRule(values, before?.rule.id ?? newRuleId(deps, values.name ?? ''));
  if (!ask.rule) return rulePage(deps, c, before, values, { ...NO_TEST, problems: ask.problems }, 422);
  await deps.alerts.saveRule({ actor: c.get('actor') }, ask.rule, before?.rule ?? null);
  return c.redirect('/alerts/rules', 303);
}

async function tested(deps: AppDeps, rule: AlertRule): Promise<RuleTestProps> {
  const test = await deps.alerts.testRule(rule);
  const nowMs = deps.now();
  return {
    summary: `${testSummary(test).replace(/^./, (letter) => letter.toUpperCase())}.`,
    firings: test.firings.slice(0, MAX_FIRINGS).map(({ subject, firedAtMs, resolvedAtMs }) => {
      const lasted = ((resolvedAtMs ?? nowMs) - firedAtMs) / 1000;
      return `${moment(firedAtMs, nowMs).text}, ${plainName(subjectName(subject))}, for ${formatDuration(lasted)}`;
    }),
    problems: [],
  };
}

function rulePage(
  deps: AppDeps,
  c: PageContext,
  found: StoredRule | null,
  values: Values,
  test: RuleTestProps,
  status: 200 | 422 = 200,
): Response | Promise<Response> {
  const actor = c.get('actor');
  const isAdmin = includesRole(actor.role, 'admin');
  const kind = kindOf(c.req.query('kind') ?? values['condition.kind']);
  const frame = { actor, nowMs: deps.now(), current: '/alerts/rules', subject: 'Alert rule', liveUrl: null };
  const base = found === null ? '/alerts/rules/new' : `/alerts/rules/${found.rule.id}`;
  const view = {
    title: found?.rule.name ?? 'New alert rule',
    action: found === null ? '/alerts/rules' : base,
    isReadOnly: found?.source === 'file' || !isAdmin,
    kind,
    kinds:
      found === null
        ? KINDS.map((one) => ({
            label: CONDITION_WORDS[one],
            href: `${base}?kind=${one}`,
            isCurrent: one === kind,
          }))
        : [],
    fields: ruleFieldsOf(kind, values),
    isEnabled:
      values.name === undefined ||
      values.enabled === 'on' ||
      values.isEnabled === 'true' ||
      values.enabled === 'true',
    test,
    deleteAction: found !== null && found.source !== 'file' && isAdmin ? `${base}/delete` : null,
  };
  return c.html(<RulePage chrome={chromeOf(deps, frame)} view={view} />, status);
}

async function formOf(c: PageContext): Promise<Values> {
  const body = await c.req.parseBody();
  return Object.fromEntries(
    Object.entries(body).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
}
