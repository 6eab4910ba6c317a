import type { z } from 'zod';
import type { Applied, Lever, LeverContext, Preview, Undo, Verified } from './lever.js';

/** A lever in hand: arguments parsed, state read, ready to be shown and then done. */
export interface LeverInHand {
  readonly preview: Preview;
  readonly undo: Undo | null;
  readonly apply: () => Promise<Applied>;
  readonly verify: () => Promise<Verified>;
}

/** A lever as the registry holds it: its own types for arguments and state stay inside. */
export interface RegisteredLever
  extends Pick<Lever, 'name' | 'title' | 'about' | 'scope' | 'role' | 'isDestructive' | 'unavailable'> {
  readonly schema: z.ZodType;
  /** The parsed arguments, or what is wrong with them. Pure. */
  readonly parse: (args: unknown) => z.ZodSafeParseResult<unknown>;
  /** Reads the state and makes the preview. @throws LeverError, ZodError for arguments that were not parsed before. */
  readonly take: (context: LeverContext, args: unknown) => Promise<LeverInHand>;
}

export function register<Args extends object, State>(lever: Lever<Args, State>): RegisteredLever {
  return {
    name: lever.name,
    title: lever.title,
    about: lever.about,
    scope: lever.scope,
    role: lever.role,
    isDestructive: lever.isDestructive,
    unavailable: lever.unavailable,
    schema: lever.schema,
    parse: (args) => lever.schema.safeParse(args),
    take: async (context, given) => {
      const args = lever.schema.parse(given);
      const state = await lever.read(context, args);
      return {
        preview: lever.preview(state, args, context),
        undo: lever.undo(state, args),
        apply: () => lever.apply(context, args, state),
        verify: () => lever.verify(context, args, state),
      };
    },
  };
}
