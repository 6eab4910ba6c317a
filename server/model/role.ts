/** viewer sees; operator acts; admin also does what cannot be taken back for a whole Redis. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Does `role` include what `needed` may do? */
export function includesRole(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
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
  readonly via: 'local' | 'token' | 'session' | 'host' | 'proxy';
}
