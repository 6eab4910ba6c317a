import { desc, eq, gt, lte, sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { z } from 'zod';
import { type ModelOf, TimeSchema } from '../model/json.js';
import type { Silence, SilenceMatchers } from '../model/silence.js';
import type { Database } from '../store/tables.js';
import type { AlertRule } from './rule.js';

/** Rules that the page and the API edit. A deleted default stays as a stone, or the next start would bring it back. */
const alertRules = sqliteTable('alert_rules', {
  id: text('id').primaryKey(),
  rule: text('rule', { mode: 'json' }).$type<AlertRule>().notNull(),
  source: text('source').$type<'default' | 'user'>().notNull(),
  isDeleted: integer('is_deleted', { mode: 'boolean' }).notNull().default(false),
  updatedAtMs: integer('updated_at_ms').notNull(),
  /** null: a default that nobody has touched. */
  updatedBy: text('updated_by'),
});

/** Where a rule is from. `file`: read-only, as the file is what counts. */
export const RuleOrigin = z.object({
  source: z.enum(['default', 'user', 'file']),
  updatedAt: TimeSchema.nullable(),
  updatedBy: z.string().nullable(),
});

export interface StoredRule extends ModelOf<typeof RuleOrigin> {
  readonly rule: AlertRule;
}

interface Change {
  readonly actor: string;
  readonly atMs: number;
}

export type RulesStore = ReturnType<typeof createRulesStore>;

/** Rules that the page and the API edit, on disk. */
export function createRulesStore(database: Database) {
  return {
    /** Without those that were deleted, by id. */
    async list(): Promise<readonly StoredRule[]> {
      const rows = await database.select().from(alertRules).orderBy(alertRules.id);
      return rows.filter(({ isDeleted }) => !isDeleted).map(({ isDeleted: _, ...row }) => row);
    },
    async put(rule: AlertRule, { actor, atMs }: Change): Promise<void> {
      const set = { rule, isDeleted: false, updatedAtMs: atMs, updatedBy: actor };
      await database
        .insert(alertRules)
        .values({ id: rule.id, source: 'user', ...set })
        .onConflictDoUpdate({ target: alertRules.id, set });
    },
    async remove(id: string, { actor, atMs }: Change): Promise<void> {
      await database
        .update(alertRules)
        .set({ isDeleted: true, updatedAtMs: atMs, updatedBy: actor })
        .where(eq(alertRules.id, id));
    },
    /** Brings in the defaults that are new, and those that nobody has touched up to date. */
    async bringDefaults(defaults: readonly AlertRule[], atMs: number): Promise<void> {
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
    /** Another one than before: rules have changed. */
    async edition(): Promise<string> {
      const [row] = await database
        .select({ edition: sql<string>`count(*) || '.' || coalesce(sum(updated_at_ms), 0)` })
        .from(alertRules);
      return row?.edition ?? '';
    },
  };
}

const silences = sqliteTable(
  'silences',
  {
    id: text('id').primaryKey(),
    matchers: text('matchers', { mode: 'json' }).$type<SilenceMatchers>().notNull(),
    author: text('author').notNull(),
    reason: text('comment').notNull(),
    startsAtMs: integer('starts_at_ms').notNull(),
    endsAtMs: integer('ends_at_ms').notNull(),
  },
  (table) => [index('silences_ends').on(table.endsAtMs)],
);

/** Ended ones are kept for so long. */
const ENDED_KEPT_MS = 7 * 24 * 3_600_000;
/** What one person may have set by a script in a loop; each is asked for each alert. */
const MAX_SILENCES = 500;

export type SilenceStore = ReturnType<typeof createSilenceStore>;

export function createSilenceStore(database: Database) {
  /** May there be one more? */
  const hasRoom = async (nowMs: number): Promise<boolean> => {
    const [row] = await database
      .select({ count: sql<number>`count(*)` })
      .from(silences)
      .where(gt(silences.endsAtMs, nowMs));
    return (row?.count ?? 0) < MAX_SILENCES;
  };
  return {
    /** Those that hold or will, the one that ends last first. */
    active: (nowMs: number): Promise<readonly Silence[]> =>
      database
        .select()
        .from(silences)
        .where(gt(silences.endsAtMs, nowMs))
        .orderBy(desc(silences.endsAtMs))
        .limit(MAX_SILENCES),
    hasRoom,
    /** @returns false: there are as many as there may be. */
    async add(silence: Silence): Promise<boolean> {
      await database.delete(silences).where(lte(silences.endsAtMs, silence.startsAtMs - ENDED_KEPT_MS));
      if (!(await hasRoom(silence.startsAtMs))) return false;
      await database.insert(silences).values(silence);
      return true;
    },
    /** Ends one now. @returns as it was; null: there is none that holds. */
    async end(id: string, nowMs: number): Promise<Silence | null> {
      const [found] = await database.select().from(silences).where(eq(silences.id, id));
      if (!found || found.endsAtMs <= nowMs) return null;
      await database.update(silences).set({ endsAtMs: nowMs }).where(eq(silences.id, id));
      return found;
    },
  };
}

/** Rules and silences as they hold now: those of the configuration, and a copy of what the store has. */
export class RuleSet {
  readonly #store: { readonly rules: RulesStore; readonly silences: SilenceStore };
  readonly #fromFile: readonly StoredRule[];
  #kept: readonly StoredRule[] = [];
  #edition = '';
  #silences: readonly Silence[] = [];

  constructor(
    store: { readonly rules: RulesStore; readonly silences: SilenceStore },
    fileRules: readonly AlertRule[],
  ) {
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
  kept(): readonly StoredRule[] {
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
