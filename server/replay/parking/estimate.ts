import { readTypes } from '../../redis/job-facts.js';
import type { QueueHandle } from '../../redis/queue-control.js';
import type { ParkEstimate, ParkRequest, ParkSkipReason } from './parking.js';
import { FIRST_WINDOW, readJobWindow, sourcesOf } from './read-window.js';

const WINDOW_JOBS = 500;
/** Looked at in each list: 10 windows of about 5 ms. */
const MAX_LOOKED = 5_000;
const MAX_TYPES = 50;

/** Counts by type what a parking would take, what that would free, and what it would leave and why. Changes nothing. */
export async function estimatePark(
  queue: QueueHandle,
  request: Pick<ParkRequest, 'states' | 'jobTypes' | 'most'>,
): Promise<ParkEstimate> {
  const types = new Map<string, { jobs: number; bytes: number }>();
  const skipped = new Map<ParkSkipReason, number>();
  let total = 0;
  let looked = 0;
  for (const source of sourcesOf(queue.id, request.states)) {
    const found: { readonly type: string; readonly bytes: number; readonly skip: ParkSkipReason | null }[] =
      [];
    let length = 0;
    let offset = 0;
    while (offset < MAX_LOOKED) {
      const window = await readJobWindow(
        queue,
        source,
        { ...FIRST_WINDOW, offset },
        WINDOW_JOBS,
        request.jobTypes,
        false,
      );
      length = window.length;
      if (window.looked === 0) break;
      offset += window.looked;
      found.push(...window.jobs.map(({ name, bytes, skip }) => ({ type: name, bytes, skip })));
    }
    const scale = offset === 0 ? 0 : Math.max(1, length / offset);
    for (const { type, bytes, skip } of found) {
      if (skip !== null) skipped.set(skip, (skipped.get(skip) ?? 0) + scale);
      else {
        const before = types.get(type) ?? { jobs: 0, bytes: 0 };
        types.set(type, { jobs: before.jobs + scale, bytes: before.bytes + bytes * scale });
      }
    }
    total += length;
    looked += offset;
  }
  const active = await countActive(queue, request.jobTypes);
  if (active > 0) skipped.set('active', active);
  const all = [...types.values()].reduce((sum, { jobs }) => sum + jobs, 0);
  const share = request.most === null || all === 0 ? 1 : Math.min(1, request.most / all);
  const rounded = [...types].map(([type, { jobs, bytes }]) => ({
    type,
    jobs: Math.round(jobs * share),
    bytes: Math.round(bytes * share),
  }));
  return {
    total,
    looked,
    isExact: looked >= total && share === 1,
    jobs: rounded.reduce((sum, { jobs }) => sum + jobs, 0),
    freedBytes: rounded.reduce((sum, { bytes }) => sum + bytes, 0),
    types: rounded.sort((a, b) => b.bytes - a.bytes).slice(0, MAX_TYPES),
    skipped: Object.fromEntries([...skipped].map(([reason, jobs]) => [reason, Math.round(jobs)])),
  };
}

/** Jobs at work, of these types where it can be told by looking at some. */
async function countActive({ client, id }: QueueHandle, jobTypes: readonly string[] | null): Promise<number> {
  if (jobTypes === null) return client.llen(`${id}:active`);
  const ids = await client.lrange(`${id}:active`, 0, WINDOW_JOBS - 1);
  const types = await readTypes(
    client,
    ids.map((jobId) => `${id}:${jobId}`),
  );
  return types.filter((type) => type !== null && jobTypes.includes(type)).length;
}
