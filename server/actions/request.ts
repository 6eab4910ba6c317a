/** An action pulled: by a person in the drawer, a remedy button, automation, or undo. */
export interface ActionRequest {
  readonly action: string;
  readonly instance: string;
  /** Queue ids. Empty for scope instance. */
  readonly queues: readonly string[];
  /** Glob over queue ids and names, instead of `queues`. */
  readonly match?: string;
  readonly jobId?: string;
  /** Ids of workers, for actions of scope worker. */
  readonly workers?: readonly string[];
  readonly args: unknown;
  readonly reason: string;
  readonly dryRun: boolean;
}
