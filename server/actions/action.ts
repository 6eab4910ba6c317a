import type { z } from 'zod';
import type { PlanBasis } from '../forecast/plan-basis.js';
import type {
  ActionScope,
  ActionWarning,
  Applied,
  Field,
  Outcome,
  Preview,
  Undo,
  Verified,
} from '../model/action.js';
import type { PlanChange } from '../model/plan.js';
import { whyReadOnly } from '../model/queue-kind.js';
import type { Role } from '../model/role.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { plainName } from '../model/words.js';
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
  /** Runs another action here as a step of this one, by the same person and for the same reason. */
  readonly run: (step: StepCall, dryRun: boolean) => Promise<readonly Outcome[]>;
}

/** An action as a step of several. */
export interface StepCall {
  readonly action: string;
  readonly queues: readonly string[];
  readonly workers?: readonly string[] | undefined;
  readonly args: Readonly<Record<string, unknown>>;
}

/** The context without the ways to change anything: what is pure gets no more. */
export type ShownContext = Omit<
  ActionContext,
  'link' | 'agents' | 'typeThresholds' | 'parkings' | 'dismissWorker' | 'dismissLoss' | 'newId' | 'run'
>;

/** A preview as an action makes it: what is left out is empty, or false. Whether there is a way back says `undo`. */
export type DraftPreview = Pick<Preview, 'summary' | 'fields' | 'affected' | 'mechanism'> &
  Partial<Omit<Preview, 'isReversible'>>;

type ActingRole = Exclude<Role, 'viewer'>;

/**
 * What can be done. `Args` are parsed by `schema`; `State` is what `read` found in Redis just before, so that
 * preview, undo and audit speak of the truth and not of a Snapshot that may be a second old. `Made` is what `apply` did,
 * with what `verify` has to know of it.
 */
export interface Action<Args = unknown, State = unknown, Made extends Applied = Applied> {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly scope: ActionScope;
  readonly role: ActingRole;
  /** Where the arguments say who may. Left out: whoever has `role`. */
  readonly roleFor?: (args: Args) => ActingRole;
  /** Are jobs lost for good, so that what is hit has to be typed before? Left out: never. Pure. */
  readonly losesJobs?: (args: Args) => boolean;
  /** It is made of other actions, and those are in the audit, each by itself. */
  readonly isOfSteps?: boolean;
  readonly schema: z.ZodType<Args>;
  /** null: it can be used here; else why not, and what is left to do. */
  readonly unavailable: (context: Pick<ActionContext, 'snapshot' | 'target'>) => string | null;
  readonly read: (context: ActionContext, args: Args) => Promise<State>;
  /** Pure. */
  readonly preview: (state: State, args: Args, context: ShownContext) => DraftPreview;
  /** Throws ActionError when Redis refuses; then everything is as it was. */
  readonly apply: (context: ActionContext, args: Args, state: State) => Promise<Made>;
  readonly verify: (context: ActionContext, args: Args, state: State, made: Made) => Promise<Verified>;
  /** The action and arguments that bring back `state`; null, or left out: there is no way back. Pure. */
  readonly undo?: (state: State, args: Args) => Undo | null;
  /** What it would change of how a queue drains, by what is known without asking Redis; null: nothing is known. Pure. */
  readonly change?: (args: Args, basis: PlanBasis, snapshot: Snapshot) => PlanChange | null;
}

/** What an action would do, with all that it says nothing about. Pure. */
export function wholePreview<Args, State, Made extends Applied>(
  action: Action<Args, State, Made>,
  state: State,
  args: Args,
  context: ShownContext,
): Preview {
  return {
    effects: [],
    warnings: [],
    predictedFreedBytes: null,
    isNoop: false,
    ...action.preview(state, args, context),
    isReversible: (action.undo?.(state, args) ?? null) !== null,
  };
}

/** An action with its arguments parsed and its state read, ready to be shown and then done. */
export interface PreparedAction {
  readonly preview: Preview;
  readonly undo: Undo | null;
  /** Does it; what it answers with reads it back. */
  readonly apply: () => Promise<{ readonly applied: Applied; readonly verify: () => Promise<Verified> }>;
}

/** An action as the registry holds it: its own types for arguments and state stay inside. */
export interface RegisteredAction
  extends Pick<Action, 'name' | 'title' | 'about' | 'scope' | 'role' | 'unavailable'> {
  /** May jobs be lost for good by it? */
  readonly isDestructive: boolean;
  readonly isOfSteps: boolean;
  /** Who may apply it with these arguments; those that are no arguments of it are refused later. */
  readonly roleFor: (args: unknown) => ActingRole;
  /** Are jobs lost for good with these arguments? */
  readonly losesJobs: (args: unknown) => boolean;
  readonly schema: z.ZodType;
  /** The parsed arguments, or what is wrong with them. Pure. */
  readonly parse: (args: unknown) => z.ZodSafeParseResult<unknown>;
  /** Reads the state and makes the preview. @throws ActionError, ZodError for arguments that were not parsed before. */
  readonly prepare: (context: ActionContext, args: unknown) => Promise<PreparedAction>;
  /** null: it changes nothing of how a queue drains. */
  readonly change: ((args: unknown, basis: PlanBasis, snapshot: Snapshot) => PlanChange | null) | null;
}

/** Whatever the action: nothing is done to a queue that is not BullMQ's. */
function refusal({ queue }: ActionTarget): string | null {
  const why = queue && whyReadOnly(queue);
  return why === null ? null : `${plainName(queue?.name ?? '')} is ${why}`;
}

export function register<Args extends object, State, Made extends Applied>(
  action: Action<Args, State, Made>,
): RegisteredAction {
  const { name, title, about, scope, role, unavailable, schema, change } = action;
  /** What holds for the arguments, or for any where they are none. */
  const ofArgs = <T>(args: unknown, read: ((args: Args) => T) | undefined, otherwise: T): T => {
    const parsed = read && schema.safeParse(args);
    return read && parsed?.success ? read(parsed.data) : otherwise;
  };
  return {
    name,
    title,
    about,
    scope,
    role,
    isDestructive: action.losesJobs !== undefined,
    isOfSteps: action.isOfSteps ?? false,
    roleFor: (args) => ofArgs(args, action.roleFor, role),
    losesJobs: (args) => ofArgs(args, action.losesJobs, action.losesJobs !== undefined),
    unavailable: (context) => refusal(context.target) ?? unavailable(context),
    schema,
    parse: (args) => schema.safeParse(args),
    prepare: async (context, given) => {
      const args = schema.parse(given);
      const state = await action.read(context, args);
      return {
        preview: wholePreview(action, state, args, context),
        undo: action.undo?.(state, args) ?? null,
        apply: async () => {
          const applied = await action.apply(context, args, state);
          return { applied, verify: () => action.verify(context, args, state, applied) };
        },
      };
    },
    change: change
      ? (args, basis, snapshot) => {
          const parsed = schema.safeParse(args);
          return parsed.success ? change(parsed.data, basis, snapshot) : null;
        }
      : null,
  };
}

/** A warning without something to do first. */
export function warning(text: string, instead: ActionWarning['instead'] = []): ActionWarning {
  return { text, instead };
}

/** What changes, as people read it. @example changed('global concurrency', 'none', '4') */
export function changed(label: string, before: string, after: string): Field {
  return { label, before, after };
}
