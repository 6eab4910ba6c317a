/** Something that happened, as it is kept and told in the account of an incident. */
export interface TimelineEntry {
  readonly id: string;
  readonly atMs: number;
  readonly instance: string;
  readonly kind: TimelineKind;
  /** Queue id; null: about the instance or the console. */
  readonly queue: string | null;
  /** Label of a worker; null: about none. */
  readonly worker: string | null;
  /** One sentence. */
  readonly text: string;
}

export type TimelineKind =
  | 'console.started'
  | 'console.deaf'
  | 'console.hears'
  | 'redis.unreachable'
  | 'redis.back'
  | 'redis.failover'
  | 'redis.restarted'
  | 'agent.resubscribed'
  | 'worker.joined'
  | 'worker.left'
  | 'worker.crashed';

/** What happened, newest first. */
export interface TimelineLog {
  append(entry: TimelineEntry): Promise<void>;
  list(query: {
    readonly instance?: string;
    readonly beforeMs?: number;
    readonly limit: number;
  }): Promise<readonly TimelineEntry[]>;
}

/** Tells what happened, from where it is noticed; the id is given where it is kept. */
export type TellEvent = (event: Omit<TimelineEntry, 'id'>) => void;
