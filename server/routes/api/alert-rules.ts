import { z } from '@hono/zod-openapi';
import { type RuleTest, RuleTestFacts, testSummary } from '../../alerts/backtest.js';
import type { AlertRule } from '../../alerts/rule.js';
import { RuleChangeSchema, RuleSchema, ruleId, ruleOf, ruleText } from '../../alerts/rule.js';
import { checkRule } from '../../alerts/rules-config.js';
import { RuleOrigin, type StoredRule } from '../../alerts/rules-store.js';
import { isoTime, jsonWriter } from '../../model/json.js';
import { type Actor, includesRole } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';
import { editableRule, findRule, newRuleId } from '../rule-commands.js';
import { apiPart, changeBy, changeQuery, dryRunQuery, jsonBody, jsonRoute, reason } from './env.js';

export const KeptRuleSchema = RuleSchema.extend({
  severity: z.enum(['critical', 'warning', 'info', 'finding']),
  ...RuleOrigin.shape,
  isReadOnly: z.boolean().describe('Given by the configuration: change it there'),
}).openapi('AlertRule');

const RuleTestSchema = RuleTestFacts.extend({
  summary: z.string().openapi({ example: 'would have fired 3 times for 2 subjects in the last day' }),
}).openapi('AlertRuleTest');

const writeTest = jsonWriter(RuleTestSchema);

function ruleJson({ rule, source, updatedAtMs, updatedBy }: StoredRule) {
  return {
    ...ruleText(rule),
    source,
    isReadOnly: source === 'file',
    updatedAt: isoTime(updatedAtMs),
    updatedBy,
  };
}

function ruleTestJson(test: RuleTest) {
  return writeTest(test, { summary: testSummary(test) });
}

const idParam = z.object({ id: ruleId });
const NewRuleSchema = RuleSchema.extend({
  id: ruleId.optional().describe('Made of the name unless given'),
  reason,
});

const RuleEditSchema = RuleChangeSchema.extend({ reason });

const listRoute = jsonRoute(
  'get /alert-rules',
  'All alert rules: defaults, own ones, and those of the configuration',
  z.object({ rules: z.array(KeptRuleSchema) }),
);
const readRoute = jsonRoute('get /alert-rules/{id}', 'One alert rule', KeptRuleSchema, {
  params: idParam,
});
const testRoute = jsonRoute(
  'post /alert-rules/test',
  'What a rule would have done over the last day, and for whom it holds now; nothing is saved',
  RuleTestSchema,
  { body: jsonBody(NewRuleSchema) },
);
const makeRoute = jsonRoute(
  'post /alert-rules',
  'Make a rule, which holds from the next tick (admin)',
  KeptRuleSchema,
  { query: dryRunQuery, body: jsonBody(NewRuleSchema) },
);
const changeRoute = jsonRoute('patch /alert-rules/{id}', 'Change a rule (admin)', KeptRuleSchema, {
  params: idParam,
  query: dryRunQuery,
  body: jsonBody(RuleEditSchema),
});
const deleteRoute = jsonRoute(
  'delete /alert-rules/{id}',
  'Delete a rule: what fires by it is over (admin)',
  z.object({ deleted: KeptRuleSchema }),
  { params: idParam, query: changeQuery },
);

export function alertRulesApi(deps: Pick<AppDeps, 'alerts' | 'alerting'>) {
  const { alerts, alerting } = deps;
  return apiPart()
    .openapi(listRoute, (c) => c.json({ rules: alerting.rules().map(ruleJson) }, 200))
    .openapi(testRoute, async (c) => {
      const rule = checked(ruleOf({ ...c.req.valid('json'), id: 'test' }));
      return c.json(ruleTestJson(await alerts.testRule(rule)), 200);
    })
    .openapi(readRoute, (c) => c.json(ruleJson(findRule(deps, c.req.valid('param').id)), 200))
    .openapi(makeRoute, async (c) => {
      requireAdmin(c.get('actor'));
      const { reason, ...text } = c.req.valid('json');
      const id = newRuleId(deps, text.name, text.id);
      const rule = checked(ruleOf({ ...text, id }));
      const by = changeBy(c, reason);
      await alerts.saveRule(by, rule, null);
      return c.json(ruleJson(by.isDryRun ? unsaved(rule) : findRule(deps, rule.id)), 200);
    })
    .openapi(changeRoute, async (c) => {
      requireAdmin(c.get('actor'));
      const { rule } = editableRule(deps, c.req.valid('param').id);
      const { reason, ...change } = c.req.valid('json');
      const given = Object.entries(change).filter(([, value]) => value !== undefined);
      const merged = RuleSchema.parse({ ...ruleText(rule), ...Object.fromEntries(given) });
      const changed = checked(ruleOf(merged));
      const by = changeBy(c, reason);
      await alerts.saveRule(by, changed, rule);
      return c.json(ruleJson(by.isDryRun ? unsaved(changed) : findRule(deps, rule.id)), 200);
    })
    .openapi(deleteRoute, async (c) => {
      requireAdmin(c.get('actor'));
      const found = editableRule(deps, c.req.valid('param').id);
      await alerts.removeRule(changeBy(c, c.req.valid('query').reason), found.rule);
      return c.json({ deleted: ruleJson(found) }, 200);
    });
}

/** As it would be. */
function unsaved(rule: AlertRule): StoredRule {
  return { rule, source: 'user', updatedAtMs: null, updatedBy: null };
}

/** @throws Problem 403 */
function requireAdmin({ role }: Actor): void {
  if (!includesRole(role, 'admin'))
    throw new Problem(403, 'forbidden', `alert rules take the role admin, and yours is ${role}`);
}

/** @throws Problem 422 naming field, value and what would be right. */
function checked(rule: AlertRule): AlertRule {
  const problems = checkRule(rule);
  if (problems.length === 0) return rule;
  const detail = problems.map(({ field, problem }) => `${field}: ${problem}`).join('; ');
  throw new Problem(422, 'invalid-request', detail, {}, problems);
}
