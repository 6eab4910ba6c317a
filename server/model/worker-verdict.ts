/** What a worker's state comes down to. */
export type WorkerVerdict =
  | 'healthy'
  | 'overloaded'
  | 'stuck'
  | 'crashed'
  | 'silent'
  | 'blocked'
  | 'paused'
  | 'capped'
  | 'rate-limited'
  | 'draining'
  /** The console can't tell: it does not hear agents now, or the worker has none and CLIENT LIST says too little. */
  | 'unknown';

export interface WorkerEvidence {
  readonly label: string;
  readonly value: number | string;
  readonly unit?: 'bytes' | 'seconds' | 'jobs' | 'jobs/s' | 'ratio' | 'count' | 'count/s';
}

/** One worker that drags the rest: much slower or failing much more than its peers on the same job types. */
export interface Outlier {
  readonly kind: 'slow' | 'failing';
  readonly type: string;
  /** Its median run time (ms) or failure ratio, and that of its peers. */
  readonly own: number;
  readonly peers: number;
  readonly sentence: string;
}
