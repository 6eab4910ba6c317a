import { desc, eq, gt, lte, sql } from 'drizzle-orm';
import type { Database } from '../store/database.js';
import { silences } from './alert-tables.js';
import type { Silence } from './silence.js';

/** Ended ones are told of for so long. */
const ENDED_KEPT_MS = 7 * 24 * 3_600_000;
/** What one person may have set by a script in a loop; each is asked for each alert. */
export const MAX_SILENCES = 500;

export interface SilenceStore {
  /** Those that hold or will, the one that ends last first. */
  active(nowMs: number): Promise<readonly Silence[]>;
  /** @returns false: there are as many as there may be. */
  add(silence: Silence): Promise<boolean>;
  /** Ends one now. @returns as it was; null: there is none that holds. */
  end(id: string, nowMs: number): Promise<Silence | null>;
}

export function createSilenceStore(database: Database): SilenceStore {
  return {
    active: (nowMs) =>
      database
        .select()
        .from(silences)
        .where(gt(silences.endsAtMs, nowMs))
        .orderBy(desc(silences.endsAtMs))
        .limit(MAX_SILENCES),
    async add(silence) {
      await database.delete(silences).where(lte(silences.endsAtMs, silence.startsAtMs - ENDED_KEPT_MS));
      const [row] = await database
        .select({ count: sql<number>`count(*)` })
        .from(silences)
        .where(gt(silences.endsAtMs, silence.startsAtMs));
      if ((row?.count ?? 0) >= MAX_SILENCES) return false;
      await database.insert(silences).values(silence);
      return true;
    },
    async end(id, nowMs) {
      const [found] = await database.select().from(silences).where(eq(silences.id, id));
      if (!found || found.endsAtMs <= nowMs) return null;
      await database.update(silences).set({ endsAtMs: nowMs }).where(eq(silences.id, id));
      return found;
    },
  };
}
