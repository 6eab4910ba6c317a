import type { TimelineEntry } from '../model/timeline-entry.js';
import type { ActivityEntry, ActivityPlace } from './activity-entry.js';

export interface ActivityQuery {
  /** fromMs ≤ entry < toMs. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Of this one, and of all instances. */
  readonly instance?: string;
  /** Of one of these, and of all. */
  readonly instances?: readonly string[];
  /** Queue id. */
  readonly queue?: string;
  /** Kinds, or what stands before a dot in them: `finding` is every `finding.…`. */
  readonly kinds?: readonly string[];
  /** Part of a text, a name or a reason, in any case of characters. */
  readonly search?: string;
  /** Entries older than this place, or newer where `order` is `oldest`. */
  readonly after?: ActivityPlace;
  /** Which come first; newest unless given. */
  readonly order?: 'newest' | 'oldest';
  readonly limit: number;
}

/** What happened and what was done, as one account: timeline and audit. */
export interface ActivityLog {
  /** In the order that was asked for, with the notes that people wrote on each. */
  list(query: ActivityQuery): Promise<readonly ActivityEntry[]>;
  get(id: string): Promise<ActivityEntry | null>;
  /** A note or deploy that somebody entered; null: there is none of that id. */
  marker(id: string): Promise<TimelineEntry | null>;
  editMarker(id: string, text: string): Promise<void>;
  removeMarker(id: string): Promise<void>;
  /** Grows with everything that is written: pages look again when it has grown. */
  version(): number;
}
