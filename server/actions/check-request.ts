import type { ActionRequest } from '../model/action.js';
import { ActionError } from '../model/action.js';
import type { Snapshot } from '../model/snapshot.js';
import type { Watch } from '../watch/watch.js';
import { ACTIONS, findAction } from './index.js';
import type { RegisteredAction } from './register.js';

/** @throws ActionError naming the actions that there are. */
export function knownAction(name: string): RegisteredAction {
  const action = findAction(name);
  if (action) return action;
  throw new ActionError(
    'not-found',
    `action: there is no action ${name}; there are ${ACTIONS.map((known) => known.name).join(', ')}`,
  );
}

/** Arguments and reason. @throws ActionError with one entry a bad field: its name, its value and what would be right. */
export function checkRequest(action: RegisteredAction, request: ActionRequest): void {
  const parsed = action.parse(request.args);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => problemOf(issue, request.args));
    throw new ActionError(
      'invalid',
      fields.map((field) => `${field.field}: ${field.problem}`).join('; '),
      fields,
    );
  }
  if (!request.dryRun && request.reason.trim() === '') {
    const problem = 'say in a few words why; it is kept with the change';
    throw new ActionError('invalid', `reason: ${problem}`, [
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
): ActionError['fields'][number] {
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys?.join(', ') ?? '';
    return { field: keys, value: undefined, problem: `is not an argument of this action` };
  }
  const [first] = issue.path;
  const value =
    typeof args === 'object' && args !== null && first !== undefined ? Reflect.get(args, first) : args;
  return { field: issue.path.map(String).join('.') || 'args', value, problem: issue.message };
}

/** @throws ActionError naming the instances that there are. */
export function knownInstance(watch: Watch, name: string): Snapshot {
  const snapshot = watch.snapshot(name);
  if (snapshot) return snapshot;
  const names = watch.snapshots().map((known) => known.instance);
  throw new ActionError(
    'not-found',
    `instance: there is no Redis named ${name}; there are ${names.join(', ')}`,
  );
}
