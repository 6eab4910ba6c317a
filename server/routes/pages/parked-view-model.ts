import type { ParkedCardProps, ParkedProps } from '../../../views/parked.js';
import { formatBytes, formatCount, formatRate } from '../../model/format.js';
import { includesRole, type Role } from '../../model/role.js';
import { plainName, plainSentence } from '../../model/words.js';
import type { DiskUse } from '../../replay/parking/disk-bound.js';
import type { Parking } from '../../replay/parking/parking.js';
import { SKIP_WORDS, type SkipReason } from '../../replay/parking-skip.js';
import { actionPath, encodePart, queuePath, replayFormPath } from './links.js';
import { controlsOf, type Done, outcomeInWords } from './parked-controls.js';
import { reasonInWords } from './replay-view-model.js';
import { coarseAge, elementId } from './words.js';

/** Who looks, at what, from which page. */
export interface ParkedLook {
  readonly role: Role;
  readonly jobDataRole: Role;
  readonly nowMs: number;
  /** The page that it stands on. */
  readonly back: string;
  /** That page is of one queue, which need not be named. */
  readonly isOfQueue: boolean;
  /** What was just done to one of them; null: nothing. */
  readonly last: { readonly parking: string; readonly done: Done } | null;
}

/** Parkings as the page shows them. Pure. */
export function parkedPropsOf(parkings: readonly Parking[], disk: DiskUse, look: ParkedLook): ParkedProps {
  const last = parkings.find(({ id }) => id === look.last?.parking);
  return {
    outcome: look.last && last ? `${titleOf(last, look)}: ${outcomeInWords(look.last.done, last)}` : null,
    cards: parkings.map((parking) => parkedCardOf(parking, look)),
    disk: `Parked jobs of all queues take ${formatBytes(disk.usedBytes)} of the ${formatBytes(disk.maxBytes)} that they may; the disk has ${formatBytes(disk.freeBytes)} free.`,
  };
}

/** One parking as a card. Pure. */
export function parkedCardOf(parking: Parking, look: ParkedLook): ParkedCardProps {
  const { id, instance, queue, remaining } = parking;
  const mayAct = includesRole(look.role, 'operator');
  const isComingBack = parking.phase === 'restore' && parking.state === 'running';
  const rests = mayAct && remaining > 0 && parking.state !== 'running';
  return {
    id: elementId('parking', id),
    title: titleOf(parking, look),
    queueHref: look.isOfQueue ? null : queuePath(instance, queue),
    when: `${coarseAge(Math.max(0, look.nowMs - parking.startedAtMs) / 1000)} ago`,
    why: [`${plainName(parking.actor)}: ${plainSentence(parking.reason)}`, leftInWords(parking)]
      .filter((text) => text !== '')
      .join('. '),
    ...stateOf(parking),
    reason: reasonInWords(parking.paceReason ?? parking.because ?? ''),
    progress: progressOf(parking, isComingBack),
    account: accountOf(parking),
    controls: mayAct ? controlsOf(parking, look.back) : null,
    restoreHref: rests
      ? actionPath({ action: 'queue.unpark', instance, queues: [queue], args: { parking: id } })
      : null,
    replayHref: rests ? replayFormPath({ instance, queue, from: 'parked' }) : null,
    exportHref:
      includesRole(look.role, look.jobDataRole) && remaining > 0
        ? `/api/v1/parkings/${encodePart(id)}.ndjson`
        : null,
  };
}

function titleOf({ jobTypes, queue }: Parking, { isOfQueue }: ParkedLook): string {
  const types = jobTypes === null ? 'All types' : jobTypes.map(plainName).join(', ');
  return isOfQueue ? types : `${types} of ${plainName(queue)}`;
}

function stateOf(parking: Parking): Pick<ParkedCardProps, 'state' | 'icon' | 'stateWord'> {
  const { phase, state, pausedBy, remaining, restored } = parking;
  if (state === 'paused' && pausedBy === 'guard')
    return { state: 'critical', icon: 'paused', stateWord: 'paused by the guard' };
  if (state === 'paused')
    return {
      state: 'warning',
      icon: 'paused',
      stateWord: pausedBy === 'policy' ? 'held by the policy' : 'paused',
    };
  if (state === 'aborted') return { state: 'info', icon: 'paused', stateWord: 'aborted' };
  if (state === 'running' && phase === 'restore')
    return { state: 'calm', icon: 'flowing', stateWord: `comes back${paceInWords(parking)}` };
  if (state === 'running') return { state: 'calm', icon: 'flowing', stateWord: 'is being parked' };
  const isBack = remaining === 0 && restored > 0;
  return { state: 'calm', icon: 'calm', stateWord: isBack ? 'back' : 'parked' };
}

function paceInWords({ pacePerSecond, ratePerSecond }: Parking): string {
  if (pacePerSecond === null) return '';
  const set =
    ratePerSecond !== null && ratePerSecond > pacePerSecond ? ` of ${formatRate(ratePerSecond)}` : '';
  return pacePerSecond === 0
    ? `, at rest${set === '' ? '' : ` (0${set})`}`
    : ` at ${formatRate(pacePerSecond)}${set}`;
}

function progressOf(parking: Parking, isComingBack: boolean): ParkedCardProps['progress'] {
  const { phase, parked, remaining, pacePerSecond } = parking;
  if (phase === 'park' && parking.restored === 0) return null;
  const done = parked - remaining;
  const left = isComingBack && pacePerSecond ? ` · about ${coarseAge(remaining / pacePerSecond)} to go` : '';
  return { done, total: parked, text: `${formatCount(done)} of ${formatCount(parked)} off the disk${left}` };
}

function accountOf(parking: Parking): ParkedCardProps['account'] {
  const { parked, freedBytes, remaining, restored, existed, fellBack } = parking;
  const there = existed + fellBack;
  const held = parked === 0 ? 0 : (freedBytes * remaining) / parked;
  return [
    ['parked', formatCount(parked)],
    ['freed in Redis', formatBytes(freedBytes)],
    ['back', formatCount(restored)],
    ...(there > 0 ? [['were there already', formatCount(there)]] : []),
    ['on disk', formatCount(remaining)],
    ...(remaining > 0 ? [['would take in Redis', `about ${formatBytes(held)}`]] : []),
  ].map(([label = '', value = '']) => ({ label, value }));
}

function leftInWords({ skipped }: Parking): string {
  const left = (Object.entries(skipped) as [SkipReason, number][]).map(
    ([reason, jobs]) => `${formatCount(jobs)} ${SKIP_WORDS[reason]}`,
  );
  return left.length === 0 ? '' : `Left in Redis: ${left.join(', ')}`;
}
