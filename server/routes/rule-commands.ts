import { MAX_RULES } from '../alerts/rules-config.js';
import type { StoredRule } from '../alerts/rules-store.js';
import type { AppDeps } from './app-deps.js';
import { Problem } from './problem.js';

/** Which alert rules there are, may be changed, or may still be made; API and page ask here alike. */

type Deps = Pick<AppDeps, 'alerting'>;

/** @throws Problem 404 */
export function findRule(deps: Deps, id: string): StoredRule {
  const found = deps.alerting.rules().find(({ rule }) => rule.id === id);
  if (!found) throw new Problem(404, 'not-found', `there is no alert rule ${id}`);
  return found;
}

/** @throws Problem 404, 409 for a rule that the configuration gives. */
export function editableRule(deps: Deps, id: string): StoredRule {
  const found = findRule(deps, id);
  if (found.source === 'file')
    throw new Problem(409, 'read-only', `the rule ${id} is given by the configuration: change it there`);
  return found;
}

/**
 * The id of a rule to be made: the one that is asked for, or the name as an id that is not taken.
 * @throws Problem 409 where the id is taken, or there are as many rules as are kept.
 */
export function newRuleId(deps: Deps, name: string, asked?: string): string {
  const taken = new Set(deps.alerting.rules().map(({ rule }) => rule.id));
  if (taken.size >= MAX_RULES)
    throw new Problem(409, 'too-many', `there are ${MAX_RULES} rules: delete some first`);
  if (asked !== undefined && taken.has(asked))
    throw new Problem(409, 'conflict', `id: ${asked} is taken; change that rule, or give another id`);
  return asked ?? freeRuleId(name, taken);
}

function freeRuleId(name: string, taken: ReadonlySet<string>): string {
  const characters = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  const slug = characters.slice(0, 50).replace(/-+$/, '') || 'rule';
  for (let i = 1; ; i++) {
    const id = i === 1 ? slug : `${slug}-${i}`;
    if (!taken.has(id)) return id;
  }
}
