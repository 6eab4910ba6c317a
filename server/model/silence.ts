import { z } from 'zod';
import { type ModelOf, TimeSchema } from './json.js';

const glob = z.string('must be a glob').min(1, 'must not be empty').max(300);

/** Which alerts a silence is about: all that are given must hold. Globs, but for the severity. */
const MatchersSchema = z.strictObject({
  rule: glob.optional().describe('Of rule ids'),
  code: glob.optional().describe('Of finding codes, or signal: and a name'),
  instance: glob.optional(),
  queue: glob.optional().describe('Of queue ids'),
  type: glob.optional(),
  severity: z.enum(['critical', 'warning', 'info'], 'must be critical, warning or info').optional(),
});

const LONGEST_SECONDS = 30 * 24 * 3600;

/** What is asked of whoever silences. */
export const SilenceAskSchema = z.strictObject({
  matchers: MatchersSchema.refine(
    (given) => Object.values(given).some((value) => value !== undefined),
    'must say what is silenced: give at least one',
  ),
  durationSeconds: z
    .number('must be a number of seconds')
    .min(60, 'must be at least 60 s')
    .max(LONGEST_SECONDS, `must be at most ${LONGEST_SECONDS} s, 30 days`),
});

export type SilenceAsk = z.infer<typeof SilenceAskSchema>;
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
