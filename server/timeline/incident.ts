import type { ToldSeverity } from './episode.js';

/** Sections of the post-mortem that people write; the rest is told by the account. */
export const NOTE_SECTIONS = ['summary', 'cause', 'wentWell', 'wentBadly', 'nextSteps'] as const;
export type NoteSection = (typeof NOTE_SECTIONS)[number];
export type IncidentNotes = Readonly<Partial<Record<NoteSection, string>>>;

/** A range of time that somebody calls an incident. */
export interface Incident {
  readonly id: string;
  readonly title: string;
  readonly fromMs: number;
  /** null: it lasts until somebody closes it. */
  readonly toMs: number | null;
  /** Names; empty: all. */
  readonly instances: readonly string[];
  readonly severity: ToldSeverity;
  /** What customers notice, in their words, such as `Sending of e-mail`; empty: not said. */
  readonly affects: string;
  readonly notes: IncidentNotes;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface IncidentLog {
  /** Newest first, at most 200. */
  list(): Promise<readonly Incident[]>;
  get(id: string): Promise<Incident | null>;
  /** Writes it, whether it was known or not. */
  save(incident: Incident): Promise<void>;
  /** @returns false: there is none. */
  remove(id: string): Promise<boolean>;
}
