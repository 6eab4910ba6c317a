import { briefDuration, briefRate } from '../model/brief.js';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatJobs,
  formatRate,
  formatRateLimit,
  formatRatio,
} from '../model/format.js';
import type { MemoryAt, Plan, PlanInput } from '../model/plan.js';
import { usableSlots } from './capacity.js';
import type { Outlook } from './outlook.js';
import type { Score } from './score.js';
import { withoutWaiting } from './throughput.js';

/** One sentence with numbers: what limits, and what that means for what waits. */
export function explain(outlook: Outlook, notKnown: string | null): string {
  return `${limitOf(outlook)}${outcomeOf(outlook, notKnown)}.`;
}

function limitOf(outlook: Outlook): string {
  const { settings, input, throughputPerSecond, memory } = outlook;
  const rate = formatRate(throughputPerSecond);
  const limit = settings.rateLimit;
  switch (outlook.bottleneck) {
    case 'paused':
      return settings.isPaused ? 'The queue is paused' : 'The global concurrency is 0';
    case 'full':
      return `Redis is full (${formatBytes(memory?.countedBytes ?? 0)} of ${formatBytes(memory?.limitBytes ?? 0)}), so only slots that are busy go on, at ${rate}`;
    case 'arrivals':
      return outlook.arrivalsPerSecond > 0
        ? `Nothing waits and the workers keep up with the ${rate} that arrive`
        : 'Nothing waits and nothing arrives';
    case 'rate-limit':
      return `The rate limit of ${limit ? formatRateLimit(limit.max, limit.durationMs) : 'the queue'} lets ${rate} through`;
    case 'global-concurrency':
      return `The global concurrency lets ${formatCount(usableSlots(settings))} of ${slots(settings.slots)} run, which do ${rate}`;
    case 'redis':
      return `Redis runs commands on one core, which is busy at ${rate}`;
    case 'event-loop':
      return `The event loops of ${processes(input.processes)} are busy at ${rate}`;
    case 'batch-wait':
      return batchWait(outlook, rate);
    case 'workers':
      return usableSlots(settings) > 0 && input.processes > 0
        ? `${capital(slots(usableSlots(settings)))} in ${processes(input.processes)} do ${rate} at ${runTime(outlook)} a job`
        : 'No worker is there to take jobs';
  }
}

function batchWait({ old, fresh, settings, input }: Outlook, rate: string): string {
  const batch = (old ?? fresh)?.batch;
  const each = formatCount(Math.floor(usableSlots(settings) / Math.max(1, input.processes)));
  const size = batch?.size == null ? 'a batch' : `a batch of ${formatCount(Math.ceil(batch.size))}`;
  const timeout = formatDuration((batch?.flushTimeoutMs ?? 0) / 1000);
  return `Jobs wait up to ${timeout} for ${size} to fill, with ${each} slots in each process, so ${rate} leave`;
}

function outcomeOf(outlook: Outlook, notKnown: string | null): string {
  const { drainSeconds, waiting, arrivalsPerSecond, throughputPerSecond: perSecond } = outlook;
  if (outlook.bottleneck === 'arrivals') return '';
  if (drainSeconds === null) {
    if (waiting <= 0 && arrivalsPerSecond <= 0) return '';
    const growth = arrivalsPerSecond - Math.min(perSecond, outlook.newFlow.perSecond);
    return growth > 0
      ? `, while ${formatRate(arrivalsPerSecond)} arrive: the backlog of ${formatJobs(waiting)} grows by ${formatRate(growth)} in the end`
      : `: the backlog of ${formatJobs(waiting)} never drains`;
  }
  const against = arrivalsPerSecond > 0 ? `, against ${formatRate(arrivalsPerSecond)} that arrive` : '';
  const backlog = waiting === 1 ? 'the 1 job that waits is' : `the ${formatJobs(waiting)} that wait are`;
  if (waiting <= 0) return `${against}: nothing waits`;
  if (notKnown !== null) return `${against}: when ${backlog} gone is not known: ${notKnown}`;
  return drainSeconds === 0
    ? `${against}: ${backlog} started at once`
    : `${against}: ${backlog} gone in about ${formatDuration(drainSeconds)}`;
}

/** Mean time that a job keeps slots busy, all its attempts together. */
function runTime({ old, fresh }: Outlook): string {
  const mix = old ?? fresh;
  return milliseconds(mix ? withoutWaiting(mix).plainMs * mix.startsPerJob : 0);
}

function milliseconds(ms: number): string {
  return ms < 1000 ? `${formatCount(Math.max(1, ms))} ms` : formatDuration(ms / 1000);
}

function slots(count: number): string {
  return `${formatCount(count)} slot${count === 1 ? '' : 's'}`;
}

function processes(count: number): string {
  return `${formatCount(count)} process${count === 1 ? '' : 'es'}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "Of the last 12 forecasts half were within 9%, 11 of 12 within their range." null: none is settled. Pure. */
export function scoreWords({ count, medianErrorRatio, insideRangeRatio }: Score): string | null {
  if (count === 0 || medianErrorRatio === null || insideRangeRatio === null) return null;
  const off = formatRatio(medianErrorRatio);
  const inside = Math.round(insideRangeRatio * count);
  if (count === 1)
    return `The last forecast was off by ${off}, ${inside === 1 ? 'within' : 'outside'} its range.`;
  return `Of the last ${formatCount(count)} forecasts half were within ${off}, ${formatCount(inside)} of ${formatCount(count)} within their range.`;
}

/** Memory that moves by less than this share is not worth a sentence. */
const MOVES_RATIO = 0.02;

/** What a plan forecasts, in two sentences with numbers: what limits and when it is drained; what Redis holds then. Pure. */
export function planWords(plan: Plan, input: PlanInput): readonly string[] {
  return [`${plan.reason.replace(/\.$/, '')}${rangeWords(plan)}.`, ...memoryWords(plan, input)];
}

/** " (30 s to 50 s)": nothing where it never drains, is drained, or the ends read the same. */
export function rangeWords({ drainSeconds, drainRange: [low, high], notKnown }: Plan): string {
  if (notKnown !== null || drainSeconds === null || drainSeconds <= 0 || low === null) return '';
  const from = formatDuration(low);
  if (high === null) return ` (${from} at the least, or never)`;
  const to = formatDuration(high);
  return from === to ? '' : ` (${from} to ${to})`;
}

/** When it is drained, for a button: "drained in about 14 min (8 min to 41 min)", "still not enough: 8/s leave". */
export function drainedIn({
  drainSeconds,
  drainRange: [low, high],
  notKnown,
  throughputPerSecond,
}: Plan): string {
  if (drainSeconds === null) return `still not enough: ${briefRate(throughputPerSecond)} leave`;
  const to = high === null ? 'never' : briefDuration(high);
  const from = low === null ? to : briefDuration(low);
  if (notKnown !== null) return `drained in anything from ${from} to ${to}`;
  return `drained in about ${briefDuration(drainSeconds)}${from === to ? '' : ` (${from} to ${to})`}`;
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
