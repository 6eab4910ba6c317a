import { z } from 'zod';

/** viewer sees; operator acts; admin also does what cannot be taken back for a whole Redis. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Does `role` include what `needed` may do? */
export function includesRole(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** The one of two that may do more. */
export function stronger(a: Role, b: Role): Role {
  return includesRole(a, b) ? a : b;
}

const globs = z
  .array(z.string('must be a glob').min(1, 'must not be empty').max(300, 'must be at most 300 characters'))
  .min(1, 'must list at least one glob, or be left out')
  .max(100, 'must list at most 100 globs');

/** A role on some of what is watched. Without `queues` it is on the whole of its instances, with it on those queues alone. */
export const grantSchema = z.strictObject({
  role: z.enum(ROLES, `must be one of ${ROLES.join(', ')}`),
  /** Over names of instances. Left out: all. */
  instances: globs.optional(),
  /** Over queue ids (`prefix:name`). */
  queues: globs.optional(),
});
export const grantsSchema = z
  .array(grantSchema)
  .min(1, 'must hold at least one grant, or be left out: the role then holds everywhere')
  .max(100, 'must hold at most 100 grants');

export interface Grant extends Pick<z.infer<typeof grantSchema>, 'role'> {
  readonly instances?: readonly string[] | undefined;
  readonly queues?: readonly string[] | undefined;
}

/** Who asks for a change, and why. `isDryRun`: only what it would come to is wanted; it is checked, and nothing changes. */
export interface ChangeBy {
  readonly actor: Actor;
  /** Kept in the audit; absent: none was given. */
  readonly reason?: string;
  readonly isDryRun?: boolean;
}

/** Who is asking: name for the audit, role for the door. `via` tells how they came in. */
export interface Actor {
  readonly name: string;
  readonly role: Role;
  /** What the role is bound to (grants.ts); left out: it holds everywhere. */
  readonly grants?: readonly Grant[] | undefined;
  readonly via: 'local' | 'token' | 'session' | 'host' | 'proxy';
}
