import type { ActivityQuery } from '../timeline/activity.js';
import { placeAt } from '../timeline/activity.js';
import type { AppDeps } from './app-deps.js';
import { Problem } from './problem.js';

/** What may be asked of the account, as it stands in an address. */
interface AccountAsk {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly instance?: string | undefined;
  /** Queue id, or a bare name. */
  readonly queue?: string | undefined;
  /** Kinds or their beginnings, with commas between. */
  readonly kinds?: string | undefined;
  readonly search?: string | undefined;
  readonly cursor?: string | undefined;
}

/** A bare name stands for the queues of that name that are known now; an id also for one that is gone. */
function queueIdOf(deps: Pick<AppDeps, 'watch'>, nameOrId: string): string {
  const queues = deps.watch.snapshots().flatMap((snapshot) => snapshot.queues);
  if (queues.some(({ id }) => id === nameOrId)) return nameOrId;
  return queues.find(({ name }) => name === nameOrId)?.id ?? nameOrId;
}

/** @throws Problem 422 for a cursor or a range that makes no sense. */
export function activityQueryOf(deps: Pick<AppDeps, 'watch'>, ask: AccountAsk, limit: number): ActivityQuery {
  const after = ask.cursor === undefined ? undefined : placeAt(ask.cursor);
  if (after === null) throw unfit('cursor', 'is none that this list gave');
  const [fromMs, toMs] = [timeOf('from', ask.from), timeOf('to', ask.to)];
  if (fromMs !== undefined && toMs !== undefined && toMs < fromMs)
    throw unfit('to', 'must not be before from');
  const kinds = ask.kinds?.split(',').filter((kind) => kind.trim() !== '');
  return {
    limit,
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(toMs === undefined ? {} : { toMs }),
    ...(ask.instance ? { instance: ask.instance } : {}),
    ...(ask.queue ? { queue: queueIdOf(deps, ask.queue) } : {}),
    ...(kinds && kinds.length > 0 ? { kinds } : {}),
    ...(ask.search ? { search: ask.search } : {}),
    ...(after === undefined ? {} : { after }),
  };
}

function timeOf(field: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const atMs = Date.parse(text);
  if (!Number.isFinite(atMs)) throw unfit(field, 'must be a time such as 2026-01-31T03:00:00Z');
  return atMs;
}

function unfit(field: string, problem: string): Problem {
  return new Problem(422, 'invalid-request', `${field}: ${problem}`, {}, [{ field, problem }]);
}
