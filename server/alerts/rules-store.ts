import { eq, sql } from 'drizzle-orm';
import type { Database } from '../store/tables.js';
import { alertRules } from './alert-tables.js';
import type { AlertRule } from './rule.js';

/** A rule with where it is from. `file`: read-only, as the file is what counts. */
export interface KeptRule {
  readonly rule: AlertRule;
  readonly source: 'default' | 'user' | 'file';
  readonly updatedAtMs: number | null;
  readonly updatedBy: string | null;
}

/** Rules that the page and the API edit, on disk. */
export interface RulesStore {
  /** Without those that were deleted, by id. */
  list(): Promise<readonly KeptRule[]>;
  put(rule: AlertRule, by: { readonly actor: string; readonly atMs: number }): Promise<void>;
  remove(id: string, by: { readonly actor: string; readonly atMs: number }): Promise<void>;
  /** Brings in the defaults that are new, and those that nobody has touched up to date. */
  bringDefaults(defaults: readonly AlertRule[], atMs: number): Promise<void>;
  /** Another one than before: rules have changed. */
  edition(): Promise<string>;
}

export function createRulesStore(database: Database): RulesStore {
  return {
    async list() {
      const rows = await database.select().from(alertRules).orderBy(alertRules.id);
      return rows.filter(({ isDeleted }) => !isDeleted).map(({ isDeleted: _, ...row }) => row);
    },
    async put(rule, { actor, atMs }) {
      const set = { rule, isDeleted: false, updatedAtMs: atMs, updatedBy: actor };
      await database
        .insert(alertRules)
        .values({ id: rule.id, source: 'user', ...set })
        .onConflictDoUpdate({ target: alertRules.id, set });
    },
    async remove(id, { actor, atMs }) {
      await database
        .update(alertRules)
        .set({ isDeleted: true, updatedAtMs: atMs, updatedBy: actor })
        .where(eq(alertRules.id, id));
    },
    async bringDefaults(defaults, atMs) {
      const known = new Map((await database.select().from(alertRules)).map((row) => [row.id, row]));
      for (const rule of defaults) {
        const row = known.get(rule.id);
        if (row && (row.updatedBy !== null || JSON.stringify(row.rule) === JSON.stringify(rule))) continue;
        await database
          .insert(alertRules)
          .values({ id: rule.id, rule, source: 'default', updatedAtMs: atMs, updatedBy: null })
          .onConflictDoUpdate({ target: alertRules.id, set: { rule, updatedAtMs: atMs } });
      }
    },
    async edition() {
      const [row] = await database
        .select({ edition: sql<string>`count(*) || '.' || coalesce(sum(updated_at_ms), 0)` })
        .from(alertRules);
      return row?.edition ?? '';
    },
  };
}
