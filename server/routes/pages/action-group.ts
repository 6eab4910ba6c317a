import type { GroupProps } from '../../../views/action-group.js';
import { actionPath } from '../../../views/links.js';
import { ACTIONS } from '../../actions/index.js';
import { ActionError } from '../../model/action.js';
import { matchQueues } from '../../model/find-queue.js';
import { formatThings } from '../../model/format.js';
import { includesRole, type Role } from '../../model/role.js';
import { plainName } from '../../model/words.js';
import type { AppDeps } from '../app-deps.js';

const MAX_NAMES = 12;

/** Queues by a glob, and the actions that may be applied to all of them. */
export function groupOf(
  deps: AppDeps,
  role: Role,
  ask: { readonly instance: string; readonly match: string; readonly search: string },
): GroupProps {
  const snapshots = deps.watch.snapshots();
  const snapshot = snapshots.find((known) => known.instance === ask.instance) ?? snapshots[0];
  const match = ask.match !== '' ? ask.match : ask.search !== '' ? `*${ask.search}*` : '';
  const found =
    snapshot && match !== '' ? namesOf(() => matchQueues(snapshot, match).map((queue) => queue.id)) : [];
  const names = typeof found === 'string' ? [] : found;
  return {
    instances: snapshots.map(({ instance }) => ({
      name: instance,
      isSelected: instance === snapshot?.instance,
    })),
    match,
    // A group of several globs is several groups here: one call takes one glob.
    groups: Object.entries(deps.groups).flatMap(([name, globs]) =>
      globs.map((glob) => ({ name, globs: glob })),
    ),
    found: {
      summary:
        match === ''
          ? 'Type a pattern such as mail-* to choose queues.'
          : typeof found === 'string'
            ? found
            : `${formatThings(names.length, 'queue')} ${names.length === 1 ? 'matches' : 'match'}.`,
      names: names.slice(0, MAX_NAMES).map(plainName),
      more: Math.max(0, names.length - MAX_NAMES),
      actions:
        names.length === 0 || !snapshot
          ? []
          : ACTIONS.filter((action) => action.scope === 'queue' && includesRole(role, action.role)).map(
              (action) => ({
                label: action.title,
                about: action.about,
                href: actionPath({ action: action.name, instance: snapshot.instance, match }),
              }),
            ),
    },
  };
}

function namesOf(read: () => readonly string[]): readonly string[] | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof ActionError) return 'No queue matches.';
    throw error;
  }
}
