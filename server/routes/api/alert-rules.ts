import { z } from '@hono/zod-openapi';
import { checkRule } from '../../alerts/check-rule.js';
import { MOST_RULES } from '../../alerts/parse-rules.js';
import { RuleChangeSchema, RuleSchema, ruleId, ruleOf, ruleText } from '../../alerts/rule-schema.js';
import type { KeptRule } from '../../alerts/rules-store.js';
import type { AppDeps } from '../../app-deps.js';
import { type Actor, includesRole } from '../../auth/role.js';
import type { AlertRule } from '../../model/alerts/rule.js';
import { Problem } from '../problem.js';
import { KeptRuleSchema, RuleTestSchema } from './alert-schemas.js';
import { apiPart, jsonBody, jsonRoute } from './env.js';
import { presentRule, presentRuleTest } from './present-alert.js';

const idParam = z.object({ id: ruleId });
const NewRuleSchema = RuleSchema.extend({
  id: ruleId.optional().openapi({ description: 'Made of the name unless given' }),
});

const listRoute = jsonRoute(
  {
    method: 'get',
    path: '/alert-rules',
    summary: 'All alert rules: defaults, own ones, and those of the configuration',
  },
  z.object({ rules: z.array(KeptRuleSchema) }),
);
const readRoute = jsonRoute(
  { method: 'get', path: '/alert-rules/{id}', summary: 'One alert rule', request: { params: idParam } },
  KeptRuleSchema,
);
const testRoute = jsonRoute(
  {
    method: 'post',
    path: '/alert-rules/test',
    summary: 'What a rule would have done over the last day, and for whom it holds now; nothing is saved',
    request: { body: jsonBody(NewRuleSchema) },
  },
  RuleTestSchema,
);
const makeRoute = jsonRoute(
  {
    method: 'post',
    path: '/alert-rules',
    summary: 'Make a rule, which holds from the next tick (admin)',
    request: { body: jsonBody(NewRuleSchema) },
  },
  KeptRuleSchema,
);
const changeRoute = jsonRoute(
  {
    method: 'patch',
    path: '/alert-rules/{id}',
    summary: 'Change a rule (admin)',
    request: { params: idParam, body: jsonBody(RuleChangeSchema) },
  },
  KeptRuleSchema,
);
const deleteRoute = jsonRoute(
  {
    method: 'delete',
    path: '/alert-rules/{id}',
    summary: 'Delete a rule: what fires by it is over (admin)',
    request: { params: idParam },
  },
  z.object({ deleted: KeptRuleSchema }),
);

export function alertRulesApi(deps: AppDeps) {
  const { alerts } = deps;
  return apiPart()
    .openapi(listRoute, (c) => c.json({ rules: alerts.rules().map(presentRule) }, 200))
    .openapi(testRoute, async (c) => {
      const rule = checked(ruleOf({ ...c.req.valid('json'), id: 'test' }));
      return c.json(presentRuleTest(await alerts.testRule(rule)), 200);
    })
    .openapi(readRoute, (c) => c.json(presentRule(kept(deps, c.req.valid('param').id)), 200))
    .openapi(makeRoute, async (c) => {
      requireAdmin(c.get('actor'));
      const text = c.req.valid('json');
      const ids = new Set(alerts.rules().map(({ rule }) => rule.id));
      if (ids.size >= MOST_RULES)
        throw new Problem(409, 'too-many', `there are ${MOST_RULES} rules: delete some first`);
      if (text.id !== undefined && ids.has(text.id))
        throw new Problem(409, 'conflict', `id: ${text.id} is taken; change that rule, or give another id`);
      const rule = checked(ruleOf({ ...text, id: text.id ?? freeRuleId(text.name, ids) }));
      await alerts.saveRule(c.get('actor'), rule, null);
      return c.json(presentRule(kept(deps, rule.id)), 200);
    })
    .openapi(changeRoute, async (c) => {
      requireAdmin(c.get('actor'));
      const { rule } = editable(deps, c.req.valid('param').id);
      const given = Object.entries(c.req.valid('json')).filter(([, value]) => value !== undefined);
      const merged = RuleSchema.parse({ ...ruleText(rule), ...Object.fromEntries(given) });
      const changed = checked(ruleOf(merged));
      await alerts.saveRule(c.get('actor'), changed, rule);
      return c.json(presentRule(kept(deps, rule.id)), 200);
    })
    .openapi(deleteRoute, async (c) => {
      requireAdmin(c.get('actor'));
      const found = editable(deps, c.req.valid('param').id);
      await alerts.removeRule(c.get('actor'), found.rule);
      return c.json({ deleted: presentRule(found) }, 200);
    });
}

/** @throws Problem 403 */
function requireAdmin({ role }: Actor): void {
  if (!includesRole(role, 'admin'))
    throw new Problem(403, 'forbidden', `alert rules take the role admin, and yours is ${role}`);
}

/** @throws Problem 404 */
function kept(deps: AppDeps, id: string): KeptRule {
  const found = deps.alerts.rules().find(({ rule }) => rule.id === id);
  if (!found) throw new Problem(404, 'not-found', `there is no alert rule ${id}`);
  return found;
}

/** @throws Problem 404, 409 for a rule that the configuration gives. */
function editable(deps: AppDeps, id: string): KeptRule {
  const found = kept(deps, id);
  if (found.source === 'file')
    throw new Problem(409, 'read-only', `the rule ${id} is given by the configuration: change it there`);
  return found;
}

/** @throws Problem 422 naming field, value and what would be right. */
function checked(rule: AlertRule): AlertRule {
  const problems = checkRule(rule);
  if (problems.length === 0) return rule;
  const detail = problems.map(({ field, problem }) => `${field}: ${problem}`).join('; ');
  throw new Problem(422, 'invalid-request', detail, {}, problems);
}

/** A rule's name as an id that is not taken. */
export function freeRuleId(name: string, taken: ReadonlySet<string>): string {
  const letters = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  const slug = letters.slice(0, 50).replace(/-+$/, '') || 'rule';
  for (let i = 1; ; i++) {
    const id = i === 1 ? slug : `${slug}-${i}`;
    if (!taken.has(id)) return id;
  }
}
