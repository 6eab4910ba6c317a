import type { ActionCall } from '../server/model/action.js';
import type { ActivityEntry } from '../server/model/activity-entry.js';
import type { QueueListQuery } from '../server/model/queue-sort.js';
import type { QueueState } from '../server/model/snapshot.js';
import { ALL_INSTANCES } from '../server/model/timeline-entry.js';

/** Addresses of pages. Names hold any character, so each part is percent-encoded. */

export function instancePath(instance: string): string {
  return `/i/${encodePart(instance)}`;
}

export function queuePath(instance: string, queueId: string): string {
  return `${instancePath(instance)}/q/${encodePart(queueId)}`;
}

/** What a queue's page shows below what is wrong with it. */
export const QUEUE_TABS = ['jobs', 'types', 'workers', 'memory', 'settings'] as const;
export type QueueTab = (typeof QUEUE_TABS)[number];

/** @param kept what else its address keeps, such as the time of the charts. */
export function queueTabPath(
  instance: string,
  queueId: string,
  tab: QueueTab,
  kept: Readonly<Record<string, string>> = {},
): string {
  const query = String(new URLSearchParams({ ...(tab === 'jobs' ? {} : { tab }), ...kept }));
  return `${queuePath(instance, queueId)}${query === '' ? '' : `?${query}`}`;
}

export function memoryPath(instance: string): string {
  return `${instancePath(instance)}/memory`;
}

/** Where an exact count of a queue is started; `…/stop` ends it. */
export function countPath(instance: string, queueId: string): string {
  return `${queuePath(instance, queueId)}/memory/count`;
}

export function jobPath(instance: string, queueId: string, jobId: string): string {
  return `${queuePath(instance, queueId)}/jobs/${encodePart(jobId)}`;
}

/** @param worker its id, or what it is called. */
export function workerPath(instance: string, worker: string): string {
  return `${instancePath(instance)}/w/${encodePart(worker)}`;
}

export function jobTypePath(instance: string, queueId: string, type: string): string {
  return `${queuePath(instance, queueId)}/t/${encodePart(type)}`;
}

/** A half of a surrogate pair can't be percent-encoded; such a name gets an address that leads nowhere, and no crash. */
export function encodePart(text: string): string {
  return encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd'));
}

/** The timeline's page, open at an entry. */
export function entryPath(id: string): string {
  return `/timeline?entry=${encodePart(id)}#${entryElementId(id)}`;
}

/** Id of the element of an entry on its page. */
export function entryElementId(id: string): string {
  return `entry-${id.replace(/[^\w-]/g, '_')}`;
}

export function incidentPath(id: string): string {
  return `/incidents/${encodePart(id)}`;
}

/** The page of a replay. */
export function replayPath(id: string): string {
  return `/replays/${encodePart(id)}`;
}

/** Where what an entry of the activity is about is looked at; null: nowhere. */
export function aboutPath({ kind, group, instance, queue, worker, ref }: ActivityEntry): string | null {
  if (group === 'incidents' && ref !== null) return incidentPath(ref);
  if (/^(action\.)?replay\./.test(kind)) return '/replays';
  // Of one that has left there is no page.
  if (worker !== null && instance !== ALL_INSTANCES && kind !== 'worker.left')
    return workerPath(instance, worker);
  if (queue !== null && instance !== ALL_INSTANCES) return queuePath(instance, queue);
  if (group === 'workers') return '/workers';
  return instance === ALL_INSTANCES ? null : instancePath(instance);
}

const LONGEST_ERROR = 200;

/** The form of a replay with its filters filled in. A time is UTC. */
export function replayFormPath(link: {
  readonly instance?: string;
  /** Empty: asked for. */
  readonly queue: string;
  readonly from?: 'failed' | 'completed' | 'parked';
  readonly jobType?: string;
  readonly errorText?: string;
  readonly fromMs?: number;
  readonly why?: string;
}): string {
  const query = new URLSearchParams({
    ...(link.instance === undefined ? {} : { instance: link.instance }),
    queues: link.queue,
    from: link.from ?? 'failed',
  });
  if (link.jobType !== undefined) query.set('jobTypes', link.jobType);
  // What it failed with may be long: an address is not, and the first line sets one error apart from another.
  const [error = ''] = (link.errorText ?? '').split('\n', 1);
  if (error !== '') query.set('errorText', error.slice(0, LONGEST_ERROR));
  if (link.fromMs !== undefined) query.set('from_time', new Date(link.fromMs).toISOString());
  if (link.why !== undefined) query.set('reason', link.why);
  return `/replays?${query}#replay-form-title`;
}

interface ActionLink {
  readonly action: string;
  readonly instance: string;
  readonly queues?: readonly string[];
  readonly match?: string;
  readonly jobId?: string;
  /** Ids of workers, for actions on them. */
  readonly workers?: readonly string[];
  readonly args?: Readonly<Record<string, unknown>>;
  /** Why: offered as the reason. */
  readonly why?: string;
  /** Key of the finding that holds the queues, where they are too many for an address. */
  readonly finding?: string;
  /** Another action's address: where to go on afterwards. */
  readonly then?: string;
}

/** More queues than this are looked up in the finding and not listed in the address. */
const MAX_LISTED = 20;
const LONGEST_ARGS = 4_000;

/** Address of an action's drawer, with its arguments filled in. */
export function actionPath(link: ActionLink): string {
  const query = new URLSearchParams({ action: link.action, instance: link.instance });
  const queues = link.queues ?? [];
  if (link.finding !== undefined && queues.length > MAX_LISTED) query.set('finding', link.finding);
  else for (const queue of queues) query.append('queues', queue);
  if (link.match !== undefined) query.set('match', link.match);
  if (link.jobId !== undefined) query.set('jobId', link.jobId);
  for (const worker of link.workers ?? []) query.append('workers', worker);
  const args = link.args && Object.keys(link.args).length > 0 ? JSON.stringify(link.args) : null;
  // Steps over many queues: they are in the finding too.
  if (args !== null && args.length > LONGEST_ARGS && link.finding !== undefined)
    query.set('finding', link.finding);
  else if (args !== null) query.set('args', args);
  if (link.why !== undefined) query.set('why', link.why);
  if (link.then !== undefined) query.set('then', link.then);
  return `/action?${query}`;
}

/** The way back from a change, in the drawer. */
export function undoPath(call: ActionCall): string {
  return actionPath({ ...call, why: 'undo' });
}

/** A queue as people call it, and where it is when that does not say it. */
export function queuePlaceInWords(
  queue: Pick<QueueState, 'prefix'>,
  instance: string,
  hasManyInstances: boolean,
): string | null {
  const parts = [hasManyInstances ? instance : null, queue.prefix === 'bull' ? null : queue.prefix];
  return parts.filter((part) => part !== null).join(' · ') || null;
}

/** What the table of queues shows: all of it is in the page's address. */
export interface QueueQuery extends QueueListQuery {
  /** From 1. */
  readonly page: number;
}

/** Where queues are listed: the first of them on the overview, all on a page of their own. */
export type QueueListPlace = '/' | '/queues';

/** That page with that part of the table. */
export function queueListPath(place: QueueListPlace, query: QueueQuery): string {
  const parts = queueQueryString(query);
  return parts === '' ? place : `${place}?${parts}`;
}

/** The same as part of an address; the parts that go without saying are left out. */
export function queueQueryString(query: QueueQuery): string {
  const parts = new URLSearchParams();
  if (query.search !== '') parts.set('search', query.search);
  if (query.sort !== 'trouble') parts.set('sort', query.sort);
  if (query.page !== 1) parts.set('page', String(query.page));
  return parts.toString();
}
