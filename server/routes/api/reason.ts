import { z } from '@hono/zod-openapi';

/** Why somebody changes something. Whether it may be empty is the action's to say. */
export const reason = z
  .string()
  .max(500, 'must be at most 500 characters')
  .default('')
  .openapi({ description: 'Why: kept with the change. Needed unless dryRun.' });
