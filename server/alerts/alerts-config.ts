import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { DEFAULT_GROUP_TIMING, type GroupTiming } from './grouping.js';
import type { AlertRule } from './rule.js';
import { parseRules } from './rule-set.js';

const seconds = z
  .number()
  .min(0, 'must be at least 0 s')
  .max(7 * 24 * 3600, 'must be at most a week');

/** What the configuration file may say of rules. Rules themselves are checked one by one, by parse-rules.ts. */
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
