import { z } from 'zod';
import { type ModelOf, TimeSchema } from './json.js';

const glob = z.string('must be a glob').min(1, 'must not be empty').max(300);

/** Which alerts a silence is about: all that are given must hold. Globs, but for the severity. */
export const MatchersSchema = z.strictObject({
  rule: glob.optional().describe('Of rule ids'),
  code: glob.optional().describe('Of finding codes, or signal: and a name'),
  instance: glob.optional(),
  queue: glob.optional().describe('Of queue ids'),
  type: glob.optional(),
  severity: z.enum(['critical', 'warning', 'info'], 'must be critical, warning or info').optional(),
});

export type SilenceMatchers = ModelOf<typeof MatchersSchema>;

/** Nobody is notified of what it matches, until it ends. */
export const SilenceFacts = z.object({
  id: z.string(),
  matchers: MatchersSchema,
  author: z.string(),
  reason: z.string(),
  startsAt: TimeSchema,
  endsAt: TimeSchema,
});

export type Silence = ModelOf<typeof SilenceFacts>;

/** Which alerts a silence is about, in words. */
export function matcherText(matchers: SilenceMatchers): string {
  const parts = Object.entries(matchers).map(([key, value]) => `${key} ${value}`);
  return parts.length === 0 ? 'everything' : parts.join(', ');
}
