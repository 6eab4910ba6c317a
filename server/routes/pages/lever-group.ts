import type { GroupProps } from '../../../views/lever-group.js';
import type { AppDeps } from '../../app-deps.js';
import { includesRole, type Role } from '../../auth/role.js';
import { plainName } from '../../findings/words.js';
import { LEVERS } from '../../levers/index.js';
import { LeverError } from '../../levers/lever.js';
import { matchQueues } from '../../levers/targets.js';
import { formatThings } from '../../model/format.js';
import { leverPath } from './links.js';

const MOST_NAMES = 12;

/** Queues by a glob, and the levers that may be pulled on all of them. */
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
      names: names.slice(0, MOST_NAMES).map(plainName),
      more: Math.max(0, names.length - MOST_NAMES),
      levers:
        names.length === 0 || !snapshot
          ? []
          : LEVERS.filter((lever) => lever.scope === 'queue' && includesRole(role, lever.role)).map(
              (lever) => ({
                label: lever.title,
                about: lever.about,
                href: leverPath({ lever: lever.name, instance: snapshot.instance, match }),
              }),
            ),
    },
  };
}

function namesOf(read: () => readonly string[]): readonly string[] | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof LeverError) return 'No queue matches.';
    throw error;
  }
}
