import type { Remedy } from '../model/finding.js';
import { formatBytes, formatThings } from '../model/format.js';
import { capitalized, lowerFirst } from '../model/words.js';
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
  return {
    relief,
    remedy: {
      action: 'sequence',
      label: `Make room: ${labelsOf(chosen)}`,
      effect: `Up to ${formatThings(chosen.length, 'step')}: ${brings(relief.bytes, freed)}.`,
      queues: [],
      args: argsOf(
        chosen.map(({ remedy }) => remedy),
        need,
      ),
      ...(freed > 0 ? { predictedFreedBytes: freed } : {}),
    },
  };
}

/** One button for room and then what takes the cause away. */
export function thenCause(chosen: readonly RoomOption[], cause: Remedy, need: Need): Remedy {
  const { remedy, relief } = asOneRemedy(chosen, need);
  const room = chosen.length > 1 ? remedy.label : (chosen[0]?.remedy.label ?? '');
  return {
    ...remedy,
    label: `${room}, then ${lowerFirst(cause.label)}`,
    effect: `${capitalized(brings(relief.bytes, remedy.predictedFreedBytes ?? 0))}, then ${lowerFirst(cause.effect)}`,
    args: argsOf([...chosen.map((option) => option.remedy), cause], need),
  };
}

function argsOf(steps: readonly Remedy[], { roomBytes }: Need): Remedy['args'] {
  return {
    steps: steps.map(({ action, queues, args }) => ({ action, queues, args })),
    // In whole megabytes, so that it is the same from look to look.
    roomBytes: Math.min(Number.MAX_SAFE_INTEGER, Math.ceil(roomBytes / MEGABYTE) * MEGABYTE),
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

/** "frees 8.9 MB and adds 32 MB" */
function brings(bytes: number, freedBytes: number): string {
  const added = bytes - freedBytes;
  return [
    ...(freedBytes > 0 ? [`frees ${formatBytes(freedBytes)}`] : []),
    ...(added >= 1 ? [`adds ${formatBytes(added)}`] : []),
  ].join(' and ');
}
