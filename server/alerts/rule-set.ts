import type { AlertingStore } from './alerting-store.js';
import { checkRule } from './check-rule.js';
import type { AlertRule } from './rule.js';
import { RuleSchema, ruleOf } from './rule-schema.js';
import type { KeptRule } from './rules-store.js';
import type { Silence } from './silence.js';

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

/** Rules and silences as they hold now: those of the configuration, and a copy of what the store has. */
export class RuleSet {
  readonly #store: AlertingStore;
  readonly #fromFile: readonly KeptRule[];
  #kept: readonly KeptRule[] = [];
  #edition = '';
  #silences: readonly Silence[] = [];

  constructor(store: AlertingStore, fileRules: readonly AlertRule[]) {
    this.#store = store;
    this.#fromFile = fileRules.map((rule) => ({ rule, source: 'file', updatedAtMs: null, updatedBy: null }));
  }

  /** Takes over what was changed in the store, by whichever console. @returns true: rules have changed. */
  async refresh(nowMs: number): Promise<boolean> {
    this.#silences = await this.#store.silences.active(nowMs);
    const edition = await this.#store.rules.edition();
    if (edition === this.#edition) return false;
    this.#kept = await this.#store.rules.list();
    this.#edition = edition;
    return true;
  }

  /** Those of the file first, which count whatever the store says of the same id; then by id. */
  kept(): readonly KeptRule[] {
    const ids = new Set(this.#fromFile.map(({ rule }) => rule.id));
    return [...this.#fromFile, ...this.#kept.filter(({ rule }) => !ids.has(rule.id))];
  }

  rules(): readonly AlertRule[] {
    return this.kept().map(({ rule }) => rule);
  }

  silences(nowMs: number): readonly Silence[] {
    return this.#silences.filter(({ endsAtMs }) => endsAtMs > nowMs);
  }
}
