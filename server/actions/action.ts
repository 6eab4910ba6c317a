import type { z } from 'zod';
import type { ActionScope, Applied, Preview, Undo, Verified } from '../model/action.js';
import type { Role } from '../model/role.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import type { WorkerState } from '../model/worker.js';
import type { RedisLink } from '../redis/link.js';
import type { Parkings } from '../replay/parking/parkings.js';
import type { TypeThresholds } from '../watch/type-thresholds.js';
import type { AgentPort } from '../watch/watch.js';

/** What an action acts on. `queue` is set for scopes queue, job and worker, `jobId` for scope job. */
export interface ActionTarget {
  readonly instance: string;
  readonly queue: QueueState | null;
  readonly jobId: string | null;
  /** Set for scope worker; its queue is `queue`. */
  readonly worker: WorkerState | null;
}

export interface ActionContext {
  readonly link: RedisLink;
  readonly agents: AgentPort;
  readonly typeThresholds: TypeThresholds;
  readonly parkings: Parkings;
  /** Of this instance: see Watch. */
  readonly dismissWorker: (workerId: string) => Promise<boolean | null>;
  /** Of this instance: see Watch. */
  readonly dismissLoss: (untilMs: number) => void;
  readonly target: ActionTarget;
  readonly snapshot: Snapshot;
  readonly actor: string;
  /** Why, as it was given. */
  readonly reason: string;
  readonly nowMs: number;
  readonly newId: () => string;
}

/**
 * What can be done. `Args` are parsed by `schema`; `State` is what `read` found in Redis just before, so that
 * preview, undo and audit speak of the truth and not of a Snapshot that may be a second old.
 */
export interface Action<Args = unknown, State = unknown> {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly scope: ActionScope;
  readonly role: Exclude<Role, 'viewer'>;
  /** Ask for the queue's name before it is done. */
  readonly isDestructive: boolean;
  readonly schema: z.ZodType<Args>;
  /** null: it can be used here; else why not, and what is left to do. */
  readonly unavailable: (context: Pick<ActionContext, 'snapshot' | 'target'>) => string | null;
  readonly read: (context: ActionContext, args: Args) => Promise<State>;
  /** Pure. */
  readonly preview: (
    state: State,
    args: Args,
    context: Omit<
      ActionContext,
      'link' | 'agents' | 'typeThresholds' | 'parkings' | 'dismissWorker' | 'dismissLoss' | 'newId'
    >,
  ) => Preview;
  /** Throws ActionError when Redis refuses; then everything is as it was. */
  readonly apply: (context: ActionContext, args: Args, state: State) => Promise<Applied>;
  readonly verify: (context: ActionContext, args: Args, state: State) => Promise<Verified>;
  /** The action and arguments that bring back `state`, or null where there is no way back. Pure. */
  readonly undo: (state: State, args: Args) => Undo | null;
}
