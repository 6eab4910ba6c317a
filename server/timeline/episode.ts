import { troubleCode } from '../findings/track.js';
import type { Evidence } from '../model/evidence.js';
import type { Finding, FindingKey, Severity } from '../model/finding.js';

/** Findings of this severity are told in the timeline; a note is not worth a line. */
export type ToldSeverity = Exclude<Severity, 'info'>;

/** A finding from its beginning to its end, with the worst that was seen of it. */
export interface Episode {
  readonly id: string;
  /** Key of the finding. */
  readonly key: FindingKey;
  readonly code: string;
  readonly instance: string;
  readonly queue: string | null;
  /** Queues that it is told for at once; empty: `queue` says it. */
  readonly queues: readonly string[];
  readonly node: string | null;
  readonly jobType: string | null;
  /** The worst that was told. */
  readonly severity: ToldSeverity;
  /** As it was at its worst. */
  readonly title: string;
  readonly beganAtMs: number;
  /** When it was last seen to be so. */
  readonly lastSeenAtMs: number;
  /** null: it lasts. */
  readonly endedAtMs: number | null;
  /** The worst value of each number of its evidence. */
  readonly worst: readonly Evidence[];
}

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
    severity: toldSeverity(finding.severity) ?? 'warning',
    title: finding.title,
    beganAtMs,
    lastSeenAtMs: nowMs,
    endedAtMs: null,
    worst: worstOf([], finding.evidence),
  };
}

/** null: not told. */
export function toldSeverity(severity: Severity): ToldSeverity | null {
  return severity === 'info' ? null : severity;
}

/** What was worst before with what is seen now: by name the larger number, or the smaller where less is worse. */
export function worstOf(before: readonly Evidence[], now: readonly Evidence[]): readonly Evidence[] {
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
 * Is the episode's trouble among what a finding tells? By its own key, as one of the queues that are told together, or as
 * what the finding explains. Then it has not ended, although it is not told by itself.
 */
export function isToldBy(episode: Episode, finding: Finding): boolean {
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
