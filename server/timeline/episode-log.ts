import { and, asc, gte, inArray, isNull, lte, or, sql } from 'drizzle-orm';
import type { Database } from '../store/tables.js';
import type { Episode } from './episode.js';
import { findingEpisodes } from './tables.js';

/** Kept: the newest of these; what is older goes. */
const MAX_SPELLS = 20_000;
const MAX_LISTED = 500;

/** Findings from their beginning to their end. */
export interface EpisodeLog {
  /** Writes it, whether it was known or not. */
  save(episode: Episode): Promise<void>;
  /** Those that last, as far as is known. */
  open(): Promise<readonly Episode[]>;
  /** Those that lasted at some time of a range, the first first, at most 500. */
  between(query: {
    readonly fromMs: number;
    readonly toMs: number;
    readonly instances?: readonly string[];
  }): Promise<readonly Episode[]>;
}

export function createEpisodeLog(database: Database): EpisodeLog {
  return {
    async save(episode) {
      const { id: _, ...change } = episode;
      await database
        .insert(findingEpisodes)
        .values(episode)
        .onConflictDoUpdate({ target: findingEpisodes.id, set: change });
      if (episode.endedAtMs === null) return;
      await database
        .delete(findingEpisodes)
        .where(sql`rowid <= (SELECT max(rowid) FROM ${findingEpisodes}) - ${MAX_SPELLS}`);
    },
    open: async () =>
      (
        await database
          .select()
          .from(findingEpisodes)
          .where(isNull(findingEpisodes.endedAtMs))
          .limit(MAX_LISTED)
      ).map(named),
    between: async ({ fromMs, toMs, instances }) =>
      (
        await database
          .select()
          .from(findingEpisodes)
          .where(
            and(
              lte(findingEpisodes.beganAtMs, toMs),
              or(isNull(findingEpisodes.endedAtMs), gte(findingEpisodes.endedAtMs, fromMs)),
              instances === undefined ? undefined : inArray(findingEpisodes.instance, [...instances]),
            ),
          )
          .orderBy(asc(findingEpisodes.beganAtMs))
          .limit(MAX_LISTED)
      ).map(named),
  };
}

/** Of numbers that version 0.2 kept only the label is known. */
function named(episode: Episode): Episode {
  return { ...episode, worst: episode.worst.map((piece) => ({ ...piece, name: piece.name ?? piece.label })) };
}
