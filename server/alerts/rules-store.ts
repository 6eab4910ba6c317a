import { sql } from 'kysely';
import { z } from 'zod';
import { type ModelOf, TimeSchema } from '../model/json.js';
import type { Silence } from '../model/silence.js';
import { type Database, jsonIn, type WithJson } from '../store/database.js';
import type { AlertRule } from './rule.js';

/** A rule that the page and the API edit. A deleted default stays as a stone, or the next start would bring it back. */
interface RuleRow {
  readonly id: string;
  readonly rule: string;
  readonly source: 'default' | 'user';
  readonly isDeleted: 0 | 1;
  readonly updatedAtMs: number;
  /** null: a default that nobody has touched. */
  readonly updatedBy: string | null;
}

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
  const db = database.withTables<{ alertRules: RuleRow }>();
  const ofRow = ({ rule, source, updatedAtMs, updatedBy }: RuleRow): StoredRule => ({
    ...{ rule: JSON.parse(rule), source, updatedAtMs, updatedBy },
  });
  return {
    /** Without those that were deleted, by id. */
    async list(): Promise<readonly StoredRule[]> {
      const rows = await db.selectFrom('alertRules').selectAll().where('isDeleted', '=', 0).execute();
      // Here: each engine has an order of letters of its own.
      return rows.sort((a, b) => (a.id < b.id ? -1 : 1)).map(ofRow);
    },
    async put(rule: AlertRule, { actor, atMs }: Change): Promise<void> {
      const set = {
        rule: JSON.stringify(rule),
        isDeleted: 0,
        updatedAtMs: atMs,
        updatedBy: actor,
      } as const;
      await db
        .insertInto('alertRules')
        .values({ id: rule.id, source: 'user', ...set })
        .onConflict((known) => known.column('id').doUpdateSet(set))
        .execute();
    },
    async remove(id: string, { actor, atMs }: Change): Promise<void> {
      await db
        .updateTable('alertRules')
        .set({ isDeleted: 1, updatedAtMs: atMs, updatedBy: actor })
        .where('id', '=', id)
        .execute();
    },
    /** Brings in the defaults that are new, and those that nobody has touched up to date. */
    async bringDefaults(defaults: readonly AlertRule[], atMs: number): Promise<void> {
      const rows = await db.selectFrom('alertRules').selectAll().execute();
      const known = new Map(rows.map((row) => [row.id, row]));
      for (const one of defaults) {
        const row = known.get(one.id);
        const rule = JSON.stringify(one);
        if (row && (row.updatedBy !== null || row.rule === rule)) continue;
        await db
          .insertInto('alertRules')
          .values({
            ...{ id: one.id, rule, source: 'default', isDeleted: 0 },
            ...{ updatedAtMs: atMs, updatedBy: null },
          })
          .onConflict((there) => there.column('id').doUpdateSet({ rule, updatedAtMs: atMs }))
          .execute();
      }
    },
    /** Another one than before: rules have changed. */
    async edition(): Promise<string> {
      const row = await db
        .selectFrom('alertRules')
        .select(sql<string>`count(*) || '.' || coalesce(sum(updated_at_ms), 0)`.as('edition'))
        .executeTakeFirst();
      return row?.edition ?? '';
    },
  };
}

const silenceJson = jsonIn<Silence>()('matchers');

/** The column of its reason has the name that it had at first. */
type SilenceRow = Omit<WithJson<Silence, 'matchers'>, 'reason'> & { readonly comment: string };

/** Ended ones are kept for so long. */
const ENDED_KEPT_MS = 7 * 24 * 3_600_000;
/** What one person may have set by a script in a loop; each is asked for each alert. */
const MAX_SILENCES = 500;

export type SilenceStore = ReturnType<typeof createSilenceStore>;

export function createSilenceStore(database: Database) {
  const db = database.withTables<{ silences: SilenceRow }>();
  const ofRow = ({ comment, ...row }: SilenceRow): Silence => silenceJson.value({ ...row, reason: comment });
  /** May there be one more? */
  const hasRoom = async (nowMs: number): Promise<boolean> => {
    const row = await db
      .selectFrom('silences')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('endsAtMs', '>', nowMs)
      .executeTakeFirst();
    return (row?.count ?? 0) < MAX_SILENCES;
  };
  return {
    /** Those that hold or will, the one that ends last first. */
    async active(nowMs: number): Promise<readonly Silence[]> {
      const rows = await db
        .selectFrom('silences')
        .selectAll()
        .where('endsAtMs', '>', nowMs)
        .orderBy('endsAtMs', 'desc')
        .limit(MAX_SILENCES)
        .execute();
      return rows.map(ofRow);
    },
    hasRoom,
    /** @returns false: there are as many as there may be. */
    async add(silence: Silence): Promise<boolean> {
      await db
        .deleteFrom('silences')
        .where('endsAtMs', '<=', silence.startsAtMs - ENDED_KEPT_MS)
        .execute();
      if (!(await hasRoom(silence.startsAtMs))) return false;
      const { reason, ...row } = silenceJson.text(silence);
      await db
        .insertInto('silences')
        .values({ ...row, comment: reason })
        .execute();
      return true;
    },
    /** Ends one now. @returns as it was; null: there is none that holds. */
    async end(id: string, nowMs: number): Promise<Silence | null> {
      const found = await db.selectFrom('silences').selectAll().where('id', '=', id).executeTakeFirst();
      if (!found || found.endsAtMs <= nowMs) return null;
      await db.updateTable('silences').set({ endsAtMs: nowMs }).where('id', '=', id).execute();
      return ofRow(found);
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
