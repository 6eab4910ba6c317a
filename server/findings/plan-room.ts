import type { Remedy } from '../model/finding.js';
import { formatBytes, formatThings } from '../model/format.js';
import { lowerFirst } from '../model/words.js';
import type { Need } from './need.js';
import { doesSuffice, type Relief, together } from './relief.js';

/** A remedy that makes room, with what it brings and its place by harm. */
export interface RoomOption {
  readonly remedy: Remedy;
  readonly relief: Relief;
  readonly harm: number;
  /** Jobs are lost for good by it. */
  readonly losesJobs: boolean;
}

const MEGABYTE = 1024 * 1024;

/**
 * Several remedies as one, where none alone suffices: of those the fewest that do, the least harmful first. Where all together
 * do not suffice, all that loses no jobs; with what loses them only where writes would be refused without. Pure.
 * @param options those worth it, the least harmful first.
 * @returns null: one alone suffices, or there are no two.
 */
export function planRoom(options: readonly RoomOption[], need: Need): readonly RoomOption[] | null {
  if (options.some(({ relief }) => doesSuffice(relief, need) !== false)) return null;
  const harmless = options.filter(({ losesJobs }) => !losesJobs);
  const isEnough = (some: readonly RoomOption[]): boolean => doesSuffice(reliefOf(some), need) !== false;
  const opens = (some: readonly RoomOption[]): boolean => reliefOf(some).bytes >= need.nowBytes;
  const chosen = isEnough(harmless)
    ? fewest(harmless, isEnough)
    : isEnough(options)
      ? fewest(options, isEnough)
      : opens(harmless) || !opens(options)
        ? harmless
        : options;
  return chosen.length > 1 ? chosen : null;
}

function reliefOf(options: readonly RoomOption[]): Relief {
  return together(options.map(({ relief }) => relief));
}

/** Without those, the most harmful first, that are not needed. */
function fewest(
  options: readonly RoomOption[],
  isEnough: (some: readonly RoomOption[]) => boolean,
): readonly RoomOption[] {
  return options.toReversed().reduce<readonly RoomOption[]>((kept, option) => {
    const without = kept.filter((one) => one !== option);
    return isEnough(without) ? without : kept;
  }, options);
}

/** One button for them: applied in order, until there is as much room as is needed. */
export function asOneRemedy(chosen: readonly RoomOption[], need: Need): { remedy: Remedy; relief: Relief } {
  const relief = reliefOf(chosen);
  const freed = chosen.reduce((sum, { remedy }) => sum + (remedy.predictedFreedBytes ?? 0), 0);
  const steps = chosen.map(({ remedy: { action, queues, args } }) => ({ action, queues, args }));
  // In whole megabytes, so that it is the same from look to look.
  const roomBytes = Math.min(Number.MAX_SAFE_INTEGER, Math.ceil(need.roomBytes / MEGABYTE) * MEGABYTE);
  return {
    relief,
    remedy: {
      action: 'sequence',
      label: `Make room: ${labelsOf(chosen)}`,
      effect: `${formatThings(chosen.length, 'step')}, one after the other until there is room enough: frees about ${formatBytes(freed)}${added(chosen)}.`,
      queues: [],
      args: { steps, roomBytes },
      ...(freed > 0 ? { predictedFreedBytes: freed } : {}),
    },
  };
}

/** "trim events, clean completed jobs (8.9 MB), raise maxmemory to 96 MB" */
function labelsOf(chosen: readonly RoomOption[]): string {
  return chosen
    .map(({ remedy: { label, predictedFreedBytes } }) =>
      predictedFreedBytes === undefined
        ? lowerFirst(label)
        : `${lowerFirst(label)} (${formatBytes(predictedFreedBytes)})`,
    )
    .join(', ');
}

function added(chosen: readonly RoomOption[]): string {
  const bytes = chosen.reduce(
    (sum, { remedy, relief }) => sum + (remedy.predictedFreedBytes === undefined ? relief.bytes : 0),
    0,
  );
  return bytes > 0 ? ` and gives ${formatBytes(bytes)} more` : '';
}
