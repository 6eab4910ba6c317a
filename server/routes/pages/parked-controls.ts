import { encodePart } from '../../../views/links.js';
import type { ParkedControlsProps, ParkedOrder } from '../../../views/parked.js';
import { formatCount, formatJobs, formatRate } from '../../model/format.js';
import type { Parking } from '../../model/parking.js';

/** What was just done to a parking on a page: a change of state, of the guard, or of the rate. */
export const DONE = ['running', 'paused', 'aborted', 'guard', 'rate'] as const;
export type Done = (typeof DONE)[number];

/** What can be done to a parking that is under way or paused, each with what follows; null: nothing. Pure. */
export function controlsOf(parking: Parking, back: string): ParkedControlsProps | null {
  if (parking.state !== 'running' && parking.state !== 'paused') return null;
  const isBack = parking.phase === 'restore';
  return {
    action: `/parkings/${encodePart(parking.id)}/order`,
    back,
    orders: [stopOrGo(parking), abort(parking), ...(isBack ? [guard(parking)] : [])],
    ratePerSecond: isBack ? (parking.ratePerSecond === null ? '' : String(parking.ratePerSecond)) : null,
    rateDoes: `In force at once; ${parking.guard ? 'the guard stays below it' : 'the guard is off, so it is what comes back'}.`,
  };
}

function stopOrGo({ state, phase, remaining }: Parking): ParkedOrder {
  const name = 'state';
  if (state === 'running') {
    const does =
      phase === 'park'
        ? 'Takes nothing more out of Redis until it is resumed; what is on disk stays there.'
        : `Nothing more comes back until it is resumed; ${formatJobs(remaining)} stay on disk.`;
    return { name, value: 'paused', label: 'Pause', does };
  }
  const does =
    phase === 'park'
      ? 'Goes on taking jobs out of Redis.'
      : `Goes on bringing ${formatJobs(remaining)} back, a few of them first.`;
  return { name, value: 'running', label: 'Resume', does };
}

function abort({ phase, remaining }: Parking): ParkedOrder {
  const does =
    phase === 'park'
      ? `Ends here. ${formatJobs(remaining)} stay on disk and can be brought back.`
      : `Ends here. What is back stays; ${formatJobs(remaining)} stay on disk and can be brought back later.`;
  return { name: 'state', value: 'aborted', label: 'Abort', does };
}

function guard({ guard: isOn, ratePerSecond }: Parking): ParkedOrder {
  if (!isOn)
    return {
      name: 'guard',
      value: 'on',
      label: 'Guard on',
      does: 'Slows down by itself when live jobs suffer.',
    };
  const pace = ratePerSecond === null ? 'as fast as it goes' : `at ${formatRate(ratePerSecond)}`;
  const does = `The rest comes back ${pace}, whatever live jobs suffer.`;
  return { name: 'guard', value: 'off', label: 'Guard off', does };
}

/** What an order did, from how things stand after it. Pure. */
export function outcomeInWords(done: Done, parking: Parking): string {
  const { phase, restored, parked, remaining, ratePerSecond } = parking;
  const stands =
    phase === 'park'
      ? `${formatJobs(remaining)} on disk`
      : `${formatCount(restored)} of ${formatCount(parked)} are back, ${formatCount(remaining)} on disk`;
  switch (done) {
    case 'paused':
      return `Paused: ${stands}.`;
    case 'running':
      return `Resumed: ${stands}.`;
    case 'aborted':
      return `Aborted: ${stands}.`;
    case 'guard':
      return `The guard is ${parking.guard ? 'on' : 'off'}: ${stands}.`;
    case 'rate':
      return `The rate is set to ${ratePerSecond === null ? 'as fast as it goes' : formatRate(ratePerSecond)}: ${stands}.`;
  }
}
