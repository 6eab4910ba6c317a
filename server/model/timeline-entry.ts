import type { Brief } from './brief.js';
import type { Severity } from './finding.js';

/** A deploy concerns every Redis unless it is said which. No instance can have this name. */
export const ALL_INSTANCES = '*';

/** Something that happened, as it is kept, and shown in the activity of an incident. */
export interface TimelineEntry {
  readonly id: string;
  readonly atMs: number;
  /** Its name, or ALL_INSTANCES. */
  readonly instance: string;
  readonly kind: TimelineKind;
  /** Queue id; null: about the instance or the console. */
  readonly queue: string | null;
  /** Label of a worker; null: about none. */
  readonly worker: string | null;
  /** One sentence; of a marker what somebody wrote. */
  readonly text: string;
  /** Who entered it; absent or null: the console noticed it by itself. */
  readonly actor?: string | null;
  /** How bad it is, where whoever records it knows; absent: as its kind says. */
  readonly severity?: Severity;
  /** Of a finding or an alert that begins or gets worse: its words. */
  readonly brief?: Brief | null;
  /** Id of what it is about: the episode of a finding, an incident, or the entry that a note is written on. */
  readonly ref?: string;
}

export type TimelineKind =
  | 'console.started'
  | 'console.stopped'
  | 'console.deaf'
  | 'console.hears'
  | 'redis.unreachable'
  | 'redis.back'
  | 'redis.failover'
  | 'redis.restarted'
  | 'redis.data-lost'
  | 'agent.resubscribed'
  | 'worker.joined'
  | 'worker.left'
  | 'worker.crashed'
  | 'parking.ended'
  | 'parking.restored'
  | 'policy.acted'
  | 'replay.started'
  | 'replay.paused'
  | 'replay.resumed'
  | 'replay.re-rated'
  | 'replay.guarded'
  | 'replay.finished'
  | 'alert.firing'
  | 'alert.resolved'
  | 'alert.acknowledged'
  | 'alert-rule.changed'
  | 'silence.created'
  | 'silence.ended'
  | 'finding.began'
  | 'finding.worsened'
  | 'finding.ended'
  | 'incident.opened'
  | 'incident.closed'
  | MarkerEntryKind;

/** What people and pipelines enter, as against what the console notices. */
export type MarkerEntryKind = 'marker.deploy' | 'marker.note';

/** What happened, newest first. */
export interface TimelineLog {
  append(entry: TimelineEntry): Promise<void>;
  list(query: {
    /** Of this one, and of all instances. */
    readonly instance?: string;
    readonly kinds?: readonly TimelineKind[];
    /** Beginnings of kinds, such as `redis.`; any of them. */
    readonly kindPrefixes?: readonly string[];
    readonly sinceMs?: number;
    readonly beforeMs?: number;
    readonly limit: number;
  }): Promise<readonly TimelineEntry[]>;
}

/** Tells what happened, from where it is noticed; the id is given where it is kept. */
export type RecordEvent = (event: Omit<TimelineEntry, 'id'>) => void;
