import { z } from 'zod';
import { troubleCode } from '../findings/track.js';
import { type Brief, BriefSchema, briefOf } from '../model/brief.js';
import type { Evidence } from '../model/evidence.js';
import type { Finding, FindingKey, Severity } from '../model/finding.js';
import { TimeSchema } from '../model/json.js';
import { type Database, isBeyondNewest, jsonIn, type WithJson } from '../store/database.js';

/** Findings of this severity are recorded in the timeline; a note is not worth a line. */
export type RecordedSeverity = Exclude<Severity, 'info'>;

/** A finding from its beginning to its end, with the worst that was seen of it, and what was said of it then. */
export interface Episode extends Brief {
  readonly id: string;
  /** Key of the finding. */
  readonly key: FindingKey;
  readonly code: string;
  readonly instance: string;
  readonly queue: string | null;
  /** Queues that it is about at once; empty: `queue` says it. */
  readonly queues: readonly string[];
  readonly node: string | null;
  readonly jobType: string | null;
  /** The worst that was recorded. */
  readonly severity: RecordedSeverity;
  readonly beganAtMs: number;
  /** When it was last seen to be so. */
  readonly lastSeenAtMs: number;
  /** null: it lasts. */
  readonly endedAtMs: number | null;
  /** The worst value of each number of its evidence. */
  readonly worst: readonly Evidence[];
}

const json = jsonIn<Episode>()('queues', 'worst');

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
  const db = database.withTables<{ findingEpisodes: WithJson<Episode, 'queues' | 'worst'> }>();
  const first = db.selectFrom('findingEpisodes').selectAll().orderBy('beganAtMs').limit(MAX_LISTED);
  return {
    /** Writes it, whether it was known or not. */
    async save(episode: Episode): Promise<void> {
      const { id, ...change } = json.text(episode);
      await db
        .insertInto('findingEpisodes')
        .values({ id, ...change })
        .onConflict((known) => known.column('id').doUpdateSet(change))
        .execute();
      if (episode.endedAtMs === null) return;
      await db
        .deleteFrom('findingEpisodes')
        .where(isBeyondNewest(MAX_EPISODES, { table: 'findingEpisodes', time: 'beganAtMs' }))
        .execute();
    },
    /** Those that last, as far as is known. */
    async open(): Promise<readonly Episode[]> {
      return (await first.where('endedAtMs', 'is', null).execute()).map(json.value);
    },
    /** Those that lasted at some time of a range, the first first, at most 500. */
    async between(query: {
      readonly fromMs: number;
      readonly toMs: number;
      readonly instances?: readonly string[];
    }): Promise<readonly Episode[]> {
      const { fromMs, toMs, instances } = query;
      const lasted = first
        .where('beganAtMs', '<=', toMs)
        .where((is) => is.or([is('endedAtMs', 'is', null), is('endedAtMs', '>=', fromMs)]));
      const rows = await (instances === undefined
        ? lasted
        : lasted.where('instance', 'in', instances)
      ).execute();
      return rows.map(json.value);
    },
  };
}
