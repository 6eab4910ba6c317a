import type { z } from 'zod';
import type { Applied, Preview, Undo, Verified } from '../model/action.js';
import type { Action, ActionContext } from './action.js';

/** An action in hand: arguments parsed, state read, ready to be shown and then done. */
export interface PreparedAction {
  readonly preview: Preview;
  readonly undo: Undo | null;
  readonly apply: () => Promise<Applied>;
  readonly verify: () => Promise<Verified>;
}

/** An action as the registry holds it: its own types for arguments and state stay inside. */
export interface RegisteredAction
  extends Pick<Action, 'name' | 'title' | 'about' | 'scope' | 'role' | 'isDestructive' | 'unavailable'> {
  readonly schema: z.ZodType;
  /** The parsed arguments, or what is wrong with them. Pure. */
  readonly parse: (args: unknown) => z.ZodSafeParseResult<unknown>;
  /** Reads the state and makes the preview. @throws ActionError, ZodError for arguments that were not parsed before. */
  readonly take: (context: ActionContext, args: unknown) => Promise<PreparedAction>;
}

export function register<Args extends object, State>(action: Action<Args, State>): RegisteredAction {
  return {
    name: action.name,
    title: action.title,
    about: action.about,
    scope: action.scope,
    role: action.role,
    isDestructive: action.isDestructive,
    unavailable: action.unavailable,
    schema: action.schema,
    parse: (args) => action.schema.safeParse(args),
    take: async (context, given) => {
      const args = action.schema.parse(given);
      const state = await action.read(context, args);
      return {
        preview: action.preview(state, args, context),
        undo: action.undo(state, args),
        apply: () => action.apply(context, args, state),
        verify: () => action.verify(context, args, state),
      };
    },
  };
}
