import { checkRule } from './check-rule.js';
import type { AlertRule } from './rule.js';
import { RuleSchema, ruleOf } from './rule-schema.js';

/** More rules than this take too long a tick. */
export const MAX_RULES = 2_000;

/**
 * Rules as code: a list, each strict. Every problem names rule, field and value and what would be right.
 * @param source where they are from, such as the file's name or `alerts.rules`.
 */
export function parseRules(
  content: unknown,
  source: string,
): { readonly rules: readonly AlertRule[]; readonly problems: readonly string[] } {
  if (!Array.isArray(content))
    return { rules: [], problems: [`${source}: must be a list of rules, each beginning with "- id:"`] };
  if (content.length > MAX_RULES)
    return { rules: [], problems: [`${source}: ${content.length} rules are more than ${MAX_RULES}`] };
  const rules: AlertRule[] = [];
  const problems: string[] = [];
  const ids = new Set<string>();
  content.forEach((entry: unknown, i) => {
    const label = `${source}: rule ${i + 1}${idOf(entry)}`;
    const parsed = RuleSchema.safeParse(entry);
    if (!parsed.success) {
      for (const issue of parsed.error.issues) {
        if (issue.code === 'unrecognized_keys')
          for (const key of issue.keys)
            problems.push(`${label}: ${[...issue.path, key].join('.')}: is not a field; check the spelling`);
        else
          problems.push(
            `${label}: ${issue.path.join('.') || 'rule'}: ${shown(entry, issue.path)} ${issue.message}`,
          );
      }
      return;
    }
    const rule = ruleOf(parsed.data);
    if (ids.has(rule.id))
      problems.push(`${label}: id: ${rule.id} is taken by a rule before; each needs its own`);
    ids.add(rule.id);
    for (const { field, value, problem } of checkRule(rule))
      problems.push(`${label}: ${field}: ${JSON.stringify(value)} ${problem}`);
    rules.push(rule);
  });
  return { rules: problems.length > 0 ? [] : rules, problems };
}

function idOf(entry: unknown): string {
  const id = typeof entry === 'object' && entry !== null ? Reflect.get(entry, 'id') : undefined;
  return typeof id === 'string' ? ` (${id.slice(0, 80)})` : '';
}

function shown(entry: unknown, path: readonly PropertyKey[]): string {
  const value = path.reduce<unknown>(
    (inside, key) => (typeof inside === 'object' && inside !== null ? Reflect.get(inside, key) : undefined),
    entry,
  );
  return value === undefined ? 'is missing:' : (JSON.stringify(value)?.slice(0, 80) ?? String(value));
}
