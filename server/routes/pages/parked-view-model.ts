import type { ParkedProps, ParkedRowProps } from '../../../views/parked.js';
import type { AppDeps } from '../../app-deps.js';
import { includesRole, type Role } from '../../auth/role.js';
import { formatBytes, formatCount } from '../../model/format.js';
import { SKIP_WORDS, type SkipReason } from '../../model/parking-skip.js';
import type { Parking } from '../../replay/parking/parking.js';
import { encodePart, leverPath } from './links.js';
import { coarseAge } from './words.js';

/** Parkings of one queue that are shown; the API has all. */
const MOST_SHOWN = 10;
const NOTHING: ParkedProps = { rows: [], disk: '' };

/** What is parked of a queue, newest first. Without a place to park there is nothing to show. */
export async function parkedOf(
  deps: AppDeps,
  instance: string,
  queue: string,
  role: Role,
): Promise<ParkedProps> {
  if (deps.parkings.problem !== null) return NOTHING;
  const parkings = await deps.parkings.list({ instance, queue, limit: MOST_SHOWN });
  if (parkings.length === 0) return NOTHING;
  const { usedBytes, maxBytes } = await deps.parkings.disk();
  const showsData = includesRole(role, deps.jobDataRole);
  return {
    rows: parkings.map((parking) =>
      parkedRowOf(parking, { mayAct: includesRole(role, 'operator'), showsData, nowMs: deps.now() }),
    ),
    disk: `Parked jobs of all queues take ${formatBytes(usedBytes)} of the ${formatBytes(maxBytes)} that they may.`,
  };
}

/** One parking as a row. Pure. */
export function parkedRowOf(
  parking: Parking,
  { mayAct, showsData, nowMs }: { mayAct: boolean; showsData: boolean; nowMs: number },
): ParkedRowProps {
  const { id, instance, queue, jobTypes, remaining, restored, existed, fellBack } = parking;
  const there = existed + fellBack;
  return {
    what: jobTypes === null ? 'All types' : jobTypes.join(', '),
    when: `${coarseAge(Math.max(0, nowMs - parking.startedAtMs) / 1000)} ago`,
    why: [`${parking.actor}: ${parking.reason}`, leftInWords(parking)]
      .filter((text) => text !== '')
      .join('. '),
    state: stateInWords(parking),
    icon: iconOf(parking),
    because: parking.because ?? '',
    parked: formatCount(parking.parked),
    freed: formatBytes(parking.freedBytes),
    back: there > 0 ? `${formatCount(restored)}, ${formatCount(there)} were there` : formatCount(restored),
    remaining: formatCount(remaining),
    restoreHref:
      mayAct && remaining > 0 && !(parking.phase === 'restore' && parking.state === 'running')
        ? leverPath({ lever: 'queue.unpark', instance, queues: [queue], args: { parking: id } })
        : null,
    exportHref: showsData && remaining > 0 ? `/api/v1/parkings/${encodePart(id)}.ndjson` : null,
  };
}

function iconOf({ because, state }: Parking): ParkedRowProps['icon'] {
  if (because !== null) return 'warning';
  return state === 'running' ? 'flowing' : state === 'done' ? 'calm' : 'paused';
}

function stateInWords({ phase, state, ratePerSecond }: Parking): string {
  const rate = ratePerSecond === null ? '' : ` at ${formatCount(ratePerSecond)} a second`;
  if (state === 'running') return phase === 'park' ? 'is being parked' : `comes back${rate}`;
  if (state === 'done') return phase === 'park' ? 'parked' : 'back';
  return state === 'paused' ? 'paused' : 'aborted';
}

function leftInWords({ skipped }: Parking): string {
  const left = (Object.entries(skipped) as [SkipReason, number][]).map(
    ([reason, jobs]) => `${formatCount(jobs)} ${SKIP_WORDS[reason]}`,
  );
  return left.length === 0 ? '' : `Left in Redis: ${left.join(', ')}`;
}
