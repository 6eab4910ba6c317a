/** A lever pulled: by a person in the drawer, a remedy button, automation, or undo. */
export interface LeverRequest {
  readonly lever: string;
  readonly instance: string;
  /** Queue ids. Empty for scope instance. */
  readonly queues: readonly string[];
  /** Glob over queue ids and names, instead of `queues`. */
  readonly match?: string;
  readonly jobId?: string;
  /** Ids of workers, for levers of scope worker. */
  readonly workers?: readonly string[];
  readonly args: unknown;
  readonly reason: string;
  readonly dryRun: boolean;
}
