import { and, asc, gte, inArray, isNull, lte, or, type SQL, sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { z } from 'zod';
import { troubleCode } from '../findings/track.js';
import { BriefSchema, briefOf } from '../model/brief.js';
import type { Evidence } from '../model/evidence.js';
import type { Finding, FindingKey, Severity } from '../model/finding.js';
import { TimeSchema } from '../model/json.js';
import type { Database } from '../store/tables.js';

/** Findings of this severity are recorded in the timeline; a note is not worth a line. */
export type RecordedSeverity = Exclude<Severity, 'info'>;

/** Findings from their beginning to their end, with the worst that was seen of them. */
const findingEpisodes = sqliteTable(
  'finding_episodes',
  {
    id: text('id').primaryKey(),
    /** Key of the finding. */
    key: text('key').$type<FindingKey>().notNull(),
    code: text('code').notNull(),
    instance: text('instance').notNull(),
    queue: text('queue'),
    /** Queues that it is about at once; empty: `queue` says it. */
    queues: text('queues', { mode: 'json' }).$type<readonly string[]>().notNull(),
    node: text('node'),
    jobType: text('job_type'),
    /** The worst that was recorded. */
    severity: text('severity').$type<RecordedSeverity>().notNull(),
    /** What was said of it at its worst. */
    headline: text('headline').notNull(),
    cause: text('cause').notNull(),
    effect: text('effect').notNull(),
    action: text('action').notNull(),
    beganAtMs: integer('began_at_ms').notNull(),
    /** When it was last seen to be so. */
    lastSeenAtMs: integer('last_seen_at_ms').notNull(),
    /** null: it lasts. */
    endedAtMs: integer('ended_at_ms'),
    /** The worst value of each number of its evidence. */
    worst: text('worst', { mode: 'json' }).$type<readonly Evidence[]>().notNull(),
  },
  (table) => [index('finding_episodes_time').on(table.beganAtMs, table.endedAtMs)],
);

export type Episode = Readonly<typeof findingEpisodes.$inferSelect>;

/** "Redis was full": what it was while it lasted. What was said of the future is not said of the past. */
export function headlineOfEpisode({ code, headline, endedAtMs }: Episode): string {
  if (code === 'redis.filling') return endedAtMs === null ? 'Redis is filling' : 'Redis was filling';
  return endedAtMs === null
    ? headline
    : headline.replace(/ (is|are) /, (_, verb) => ` ${PAST[verb as 'is']} `);
}

const PAST = { is: 'was', are: 'were' } as const;

/** What the API answers of an episode. */
export const EpisodeFacts = z.object({
  id: z.string(),
  code: z.string(),
  severity: z.enum(['critical', 'warning']),
  ...BriefSchema.shape,
  instance: z.string(),
  queue: z.string().nullable(),
  queues: z.array(z.string()),
  beganAt: TimeSchema,
  endedAt: TimeSchema.nullable(),
  worst: z.array(
    z.object({
      name: z.string(),
      label: z.string(),
      value: z.union([z.number(), z.string()]),
      unit: z.string().optional(),
    }),
  ),
});

/** Most numbers kept of an episode: a finding shows about ten. */
const MAX_NUMBERS = 20;
/** By name: of these the least is the worst. */
const LESS_IS_WORSE: ReadonlySet<string> = new Set(['full-in', 'leaving', 'workers']);

/** An episode that begins with this finding. */
export function episodeOf(id: string, finding: Finding, beganAtMs: number, nowMs: number): Episode {
  return {
    id,
    key: finding.key,
    code: finding.code,
    instance: finding.instance,
    queue: finding.queue,
    queues: finding.queues ?? [],
    node: finding.node,
    jobType: finding.jobType ?? null,
    severity: recordedSeverity(finding.severity) ?? 'warning',
    ...briefOf(finding),
    beganAtMs,
    lastSeenAtMs: nowMs,
    endedAtMs: null,
    worst: worstEvidence([], finding.evidence),
  };
}

/** null: not recorded. */
export function recordedSeverity(severity: Severity): RecordedSeverity | null {
  return severity === 'info' ? null : severity;
}

/** What was worst before with what is seen now: by name the larger number, or the smaller where less is worse. */
export function worstEvidence(before: readonly Evidence[], now: readonly Evidence[]): readonly Evidence[] {
  const worst = new Map(before.map((piece) => [piece.name, piece]));
  for (const { name, label, value, unit } of now) {
    if (typeof value !== 'number' || !Number.isFinite(value)) continue;
    const known = worst.get(name);
    const isWorse =
      known === undefined ||
      (LESS_IS_WORSE.has(name) ? value < Number(known.value) : value > Number(known.value));
    if (isWorse && (known !== undefined || worst.size < MAX_NUMBERS))
      worst.set(name, { name, label, value, ...(unit === undefined ? {} : { unit }) });
  }
  return [...worst.values()];
}

/** Is a finding the episode's own: by its key, or as the neighbouring verdict on the same queue? */
export function isOf(episode: Episode, finding: Finding): boolean {
  if (finding.key === episode.key) return true;
  const isNeighbour =
    finding.code !== episode.code && troubleCode(finding.code) === troubleCode(episode.code);
  return isNeighbour && finding.queue !== null && finding.queue === episode.queue;
}

/**
 * Is the episode's trouble among what a finding says? By its own key, as one of its queues, or as
 * what the finding explains. Then it has not ended, although it is not found by itself.
 */
export function isCoveredBy(episode: Episode, finding: Finding): boolean {
  if (finding.instance !== episode.instance) return false;
  if (isOf(episode, finding)) return true;
  if (troubleCode(finding.code) === troubleCode(episode.code) && finding.node === episode.node) {
    if (episode.queue !== null && finding.queues?.includes(episode.queue)) return true;
    if (finding.queue !== null && episode.queues.includes(finding.queue)) return true;
    if (finding.queues?.some((queue) => episode.queues.includes(queue))) return true;
  }
  return (finding.explains ?? []).some(
    ({ code, queue, jobType }) =>
      troubleCode(code) === troubleCode(episode.code) &&
      queue === episode.queue &&
      (jobType ?? null) === episode.jobType,
  );
}

/** Kept: the newest of these; what is older goes. */
const MAX_EPISODES = 20_000;
const MAX_LISTED = 500;

export type EpisodeLog = ReturnType<typeof createEpisodeLog>;

/** Findings from their beginning to their end, in the store. */
export function createEpisodeLog(database: Database) {
  const read = (which: SQL | undefined): Promise<readonly Episode[]> =>
    database
      .select()
      .from(findingEpisodes)
      .where(which)
      .orderBy(asc(findingEpisodes.beganAtMs))
      .limit(MAX_LISTED);
  return {
    /** Writes it, whether it was known or not. */
    async save(episode: Episode): Promise<void> {
      const { id: _, ...change } = episode;
      await database
        .insert(findingEpisodes)
        .values(episode)
        .onConflictDoUpdate({ target: findingEpisodes.id, set: change });
      if (episode.endedAtMs === null) return;
      await database
        .delete(findingEpisodes)
        .where(sql`rowid <= (SELECT max(rowid) FROM ${findingEpisodes}) - ${MAX_EPISODES}`);
    },
    /** Those that last, as far as is known. */
    open: (): Promise<readonly Episode[]> => read(isNull(findingEpisodes.endedAtMs)),
    /** Those that lasted at some time of a range, the first first, at most 500. */
    between: (query: {
      readonly fromMs: number;
      readonly toMs: number;
      readonly instances?: readonly string[];
    }): Promise<readonly Episode[]> =>
      read(
        and(
          lte(findingEpisodes.beganAtMs, query.toMs),
          or(isNull(findingEpisodes.endedAtMs), gte(findingEpisodes.endedAtMs, query.fromMs)),
          query.instances === undefined ? undefined : inArray(findingEpisodes.instance, [...query.instances]),
        ),
      ),
  };
}
