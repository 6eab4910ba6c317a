import { type Bound, hasRoleOn } from './grants.js';
import type { Role } from './role.js';
import { globMatcher } from './text.js';

/** What is not done here, by configuration or by whose view it is. A part of each Snapshot, so that nothing is offered that is refused. */
export interface Permits {
  /** This console changes nothing. */
  readonly isReadOnly: boolean;
  /** Globs over names of actions that are switched off. */
  readonly off: readonly string[];
  /** Of a Snapshot that is made for one whose role is bound; left out: it is the whole. */
  readonly who?: Bound;
}

export const ALL_PERMITTED: Permits = { isReadOnly: false, off: [] };

export const READ_ONLY = 'This console is read-only (readOnly): it shows what is there, and changes nothing.';

/** Why an action is not done by this console, whoever asks; null: it is. */
export function switchedOff({ isReadOnly, off }: Permits, action: string): string | null {
  if (isReadOnly) return READ_ONLY;
  return off.some((glob) => globMatcher(glob)(action))
    ? `${action} is switched off in the configuration of this console (actions.off)`
    : null;
}

/** May whoever a Snapshot is made for do there what takes this role? */
export function mayDo({ who }: Permits, needed: Role, instance: string, queue: string | null): boolean {
  return who === undefined || hasRoleOn(who, needed, instance, queue);
}
