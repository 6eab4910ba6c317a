import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { checkRule } from './check-rule.js';
import { DEFAULT_GROUP_TIMING, type GroupTiming } from './grouping.js';
import { type AlertRule, RuleSchema, ruleOf } from './rule.js';

const seconds = z
  .number()
  .min(0, 'must be at least 0 s')
  .max(7 * 24 * 3600, 'must be at most a week');

/** What the configuration file may say of rules. Rules themselves are checked one by one, by `parseRules`. */
export const alertsSection = {
  /** YAML; beside the configuration file unless its path is absolute. */
  rulesFile: z.string().min(1).optional(),
  rules: z.array(z.unknown()).optional(),
  groupWaitSeconds: seconds.default(DEFAULT_GROUP_TIMING.waitMs.warning / 1000),
  groupIntervalSeconds: seconds.default(DEFAULT_GROUP_TIMING.intervalMs / 1000),
  repeatSeconds: seconds.min(60, 'must be at least 60 s').default(DEFAULT_GROUP_TIMING.repeatMs / 1000),
};
const section = z.object(alertsSection);

export interface AlertsConfig {
  /** Given as code: read-only in the page and the API. */
  readonly rules: readonly AlertRule[];
  readonly timing: GroupTiming;
}

/**
 * The rules that the configuration gives, and how messages are grouped.
 * @param configPath of the file that `section` is from; null: there is none.
 * @param problems takes every bad rule: rule, field, value and what would be right.
 */
export function alertsConfigOf(
  given: z.infer<typeof section>,
  configPath: string | null,
  problems: string[],
): AlertsConfig {
  const { rulesFile, rules, groupWaitSeconds, groupIntervalSeconds, repeatSeconds } = given;
  if (rulesFile !== undefined && rules !== undefined)
    problems.push('alerts: must have one of rulesFile and rules, and not both');
  const parsed =
    rules !== undefined
      ? parseRules(rules, 'alerts.rules')
      : rulesFile !== undefined
        ? readRules(resolve(configPath === null ? '.' : dirname(configPath), rulesFile))
        : { rules: [], problems: [] };
  problems.push(...parsed.problems);
  const waitMs = groupWaitSeconds * 1000;
  return {
    rules: parsed.rules,
    timing: {
      waitMs: { critical: 0, warning: waitMs, info: waitMs },
      intervalMs: groupIntervalSeconds * 1000,
      repeatMs: repeatSeconds * 1000,
    },
  };
}

function readRules(path: string) {
  try {
    const content: unknown = parseYaml(readFileSync(path, 'utf8')) ?? [];
    const isWrapped = typeof content === 'object' && content !== null && 'rules' in content;
    return parseRules(isWrapped ? content.rules : content, path);
  } catch (error) {
    const reason =
      error instanceof YAMLParseError
        ? `is not valid YAML: ${error.message.split('\n')[0]}`
        : "can't be read";
    return { rules: [], problems: [`alerts.rulesFile: ${path} ${reason}`] };
  }
}

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
