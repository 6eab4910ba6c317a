import { formatBytes, formatDuration } from '../model/format.js';
import type { MemoryAt, Plan, PlanInput } from '../model/plan.js';

/** Memory that moves by less than this share is not worth a sentence. */
const MOVES_RATIO = 0.02;

/** What a plan forecasts, in two sentences with numbers: what limits and when it is drained; what Redis holds then. Pure. */
export function planWords(plan: Plan, input: PlanInput): readonly string[] {
  return [`${plan.because.replace(/\.$/, '')}${rangeWords(plan)}.`, ...memoryWords(plan, input)];
}

/** " (30 s to 50 s)": nothing where it never drains, is drained, or the ends read the same. */
export function rangeWords({ drainSeconds, drainRange: [low, high], notKnown }: Plan): string {
  if (notKnown !== null || drainSeconds === null || drainSeconds <= 0 || low === null) return '';
  const from = formatDuration(low);
  if (high === null) return ` (${from} at the least, or never)`;
  const to = formatDuration(high);
  return from === to ? '' : ` (${from} to ${to})`;
}

function memoryWords(plan: Plan, { memory }: PlanInput): readonly string[] {
  const then = memoryThen(plan);
  if (!memory || !then) return [];
  if (Math.abs(then.bytes - memory.countedBytes) < MOVES_RATIO * memory.countedBytes) return [];
  const when = plan.drainSeconds === null ? `In ${formatDuration(then.atSeconds)}` : 'Then';
  const limit = memory.limitBytes === null ? '' : ` of ${formatBytes(memory.limitBytes)}`;
  const [low, high] = [formatBytes(then.lowBytes), formatBytes(then.highBytes)];
  const range = low === high ? '' : ` (${low} to ${high})`;
  return [
    `${when} Redis holds about ${formatBytes(then.bytes)}${limit}${range}, now ${formatBytes(memory.countedBytes)}.`,
  ];
}

/** Memory when it is drained, or at the end of what is forecast; null: not known. Pure. */
export function memoryThen({ memory, drainSeconds }: Plan): MemoryAt | null {
  if (drainSeconds === null) return memory[memory.length - 1] ?? null;
  return memory.find(({ atSeconds }) => atSeconds >= drainSeconds) ?? memory[memory.length - 1] ?? null;
}
