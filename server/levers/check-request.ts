import type { Snapshot } from '../watch/snapshot.js';
import type { Watch } from '../watch/watch.js';
import { findLever, LEVERS } from './index.js';
import { LeverError } from './lever.js';
import type { RegisteredLever } from './register.js';
import type { LeverRequest } from './request.js';

/** @throws LeverError naming the levers that there are. */
export function knownLever(name: string): RegisteredLever {
  const lever = findLever(name);
  if (lever) return lever;
  throw new LeverError(
    'not-found',
    `lever: there is no lever ${name}; there are ${LEVERS.map((known) => known.name).join(', ')}`,
  );
}

/** Arguments and reason. @throws LeverError with one entry a bad field: its name, its value and what would be right. */
export function checkRequest(lever: RegisteredLever, request: LeverRequest): void {
  const parsed = lever.parse(request.args);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => problemOf(issue, request.args));
    throw new LeverError(
      'invalid',
      fields.map((field) => `${field.field}: ${field.problem}`).join('; '),
      fields,
    );
  }
  if (!request.dryRun && request.reason.trim() === '') {
    const problem = 'say in a few words why; it is kept with the change';
    throw new LeverError('invalid', `reason: ${problem}`, [
      { field: 'reason', value: request.reason, problem },
    ]);
  }
}

function problemOf(
  issue: {
    readonly path: readonly PropertyKey[];
    readonly message: string;
    readonly code?: string;
    readonly keys?: readonly string[];
  },
  args: unknown,
): LeverError['fields'][number] {
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys?.join(', ') ?? '';
    return { field: keys, value: undefined, problem: `is not an argument of this lever` };
  }
  const [first] = issue.path;
  const value =
    typeof args === 'object' && args !== null && first !== undefined ? Reflect.get(args, first) : args;
  return { field: issue.path.map(String).join('.') || 'args', value, problem: issue.message };
}

/** @throws LeverError naming the instances that there are. */
export function knownInstance(watch: Watch, name: string): Snapshot {
  const snapshot = watch.snapshot(name);
  if (snapshot) return snapshot;
  const names = watch.snapshots().map((known) => known.instance);
  throw new LeverError(
    'not-found',
    `instance: there is no Redis named ${name}; there are ${names.join(', ')}`,
  );
}
