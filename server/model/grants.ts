import { type Grant, includesRole, type Role, stronger } from './role.js';
import { globMatcher } from './text.js';

/** Somebody's role and what it is bound to; without grants it holds everywhere. */
export interface Bound {
  readonly role: Role;
  readonly grants?: readonly Grant[] | undefined;
}

/**
 * The role of somebody on a queue, or with null on the whole of an instance: that of the strongest grant that matches, and
 * at most their own. null: there is none, so it is not even seen. Pure.
 */
export function roleOn({ role, grants }: Bound, instance: string, queue: string | null): Role | null {
  if (grants === undefined) return role;
  let best: Role | null = null;
  for (const { on, given } of testsOf(grants))
    if (on(instance, queue)) best = best === null ? given : stronger(best, given);
  return best === null || includesRole(role, best) ? best : role;
}

/** May two do the same, as far as they are written alike? */
export function isSameBound(a: Bound, b: Bound): boolean {
  return a.role === b.role && JSON.stringify(a.grants) === JSON.stringify(b.grants);
}

/** Does somebody have at least this role there? */
export function hasRoleOn(who: Bound, needed: Role, instance: string, queue: string | null): boolean {
  const role = roleOn(who, instance, queue);
  return role !== null && includesRole(role, needed);
}

/** Is the instance seen, given the ids of its queues? Whoever sees one of them sees its memory and its limit. */
export function seesInstance(who: Bound, instance: string, queues: Iterable<string>): boolean {
  if (roleOn(who, instance, null) !== null) return true;
  for (const queue of queues) if (roleOn(who, instance, queue) !== null) return true;
  return false;
}

/** The most that somebody may do anywhere: their role, where no grant reaches it that of the strongest. */
export function strongestRole({ role, grants }: Bound): Role {
  if (grants === undefined) return role;
  const best = grants.reduce<Role>((most, grant) => stronger(most, grant.role), 'viewer');
  return includesRole(role, best) ? best : role;
}

interface Test {
  readonly given: Role;
  readonly on: (instance: string, queue: string | null) => boolean;
}

const known = new WeakMap<readonly Grant[], readonly Test[]>();

/** Grants are asked about for each queue of each page: their globs are made ready once. */
function testsOf(grants: readonly Grant[]): readonly Test[] {
  const tests = known.get(grants) ?? grants.map(testOf);
  known.set(grants, tests);
  return tests;
}

function testOf({ role, instances, queues }: Grant): Test {
  const isInstance = anyOf(instances ?? ['*']);
  const isQueue = queues === undefined ? () => true : anyOf(queues);
  return {
    given: role,
    on: (instance, queue) => isInstance(instance) && (queue === null ? queues === undefined : isQueue(queue)),
  };
}

function anyOf(patterns: readonly string[]): (text: string) => boolean {
  const matchers = patterns.map(globMatcher);
  return (text) => matchers.some((matches) => matches(text));
}
