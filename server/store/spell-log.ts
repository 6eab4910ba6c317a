import { and, asc, gte, inArray, isNull, lte, or, sql } from 'drizzle-orm';
import type { Spell } from '../findings/spell.js';
import type { Database } from './open-store.js';
import { findingSpells } from './schema.js';

/** Kept: the newest of these; what is older goes. */
const MOST_SPELLS = 20_000;
const MOST_LISTED = 500;

/** Findings from their beginning to their end. */
export interface SpellLog {
  /** Writes it, whether it was known or not. */
  save(spell: Spell): Promise<void>;
  /** Those that last, as far as is known. */
  open(): Promise<readonly Spell[]>;
  /** Those that lasted at some time of a range, the first first, at most 500. */
  between(query: {
    readonly fromMs: number;
    readonly toMs: number;
    readonly instances?: readonly string[];
  }): Promise<readonly Spell[]>;
}

export function createSpellLog(database: Database): SpellLog {
  return {
    async save(spell) {
      const { id: _, ...change } = spell;
      await database
        .insert(findingSpells)
        .values(spell)
        .onConflictDoUpdate({ target: findingSpells.id, set: change });
      if (spell.endedAtMs === null) return;
      await database
        .delete(findingSpells)
        .where(sql`rowid <= (SELECT max(rowid) FROM ${findingSpells}) - ${MOST_SPELLS}`);
    },
    open: () =>
      database.select().from(findingSpells).where(isNull(findingSpells.endedAtMs)).limit(MOST_LISTED),
    between: ({ fromMs, toMs, instances }) =>
      database
        .select()
        .from(findingSpells)
        .where(
          and(
            lte(findingSpells.beganAtMs, toMs),
            or(isNull(findingSpells.endedAtMs), gte(findingSpells.endedAtMs, fromMs)),
            instances === undefined ? undefined : inArray(findingSpells.instance, [...instances]),
          ),
        )
        .orderBy(asc(findingSpells.beganAtMs))
        .limit(MOST_LISTED),
  };
}
