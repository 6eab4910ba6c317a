import { z } from 'zod';
import { type ModelOf, TimeSchema } from './json.js';
import { ROLES } from './role.js';

/** A browser that is signed in, as admins see it. */
export const SessionSchema = z
  .object({
    id: z.string().describe('Opens nothing: SHA-256 of what the browser has'),
    name: z.string(),
    role: z.enum(ROLES),
    way: z.enum(['token', 'openid']),
    address: z.string().describe('Of the browser that signed in'),
    createdAt: TimeSchema,
    seenAt: TimeSchema.describe('To the minute'),
    expiresAt: TimeSchema,
    isOwn: z.boolean().describe('The one that asks'),
  })
  .meta({ id: 'Session' });
export type ListedSession = ModelOf<typeof SessionSchema>;
