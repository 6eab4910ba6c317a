import type { ReplayRecord, ReplayView } from '../model/replay.js';
import { type ReplayAccount, SKIP_REASONS, type SkipReason } from '../model/replay.js';
import { saidBy } from '../model/replay-spec.js';

/** From and until, both counted in, ms since 1970. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Which part of the time range of a replay has had its turn in one queue, and which has not; null: none of it. */
interface Coverage {
  readonly queue: string;
  readonly covered: TimeRange | null;
  readonly missing: TimeRange | null;
}

interface SweepState {
  readonly queue: string;
  /** `fromMs` 0: from the first job on. */
  readonly range: TimeRange;
  readonly order: 'oldest' | 'newest';
  /** Time of the last job that has had its turn; null: none has. */
  readonly cursorMs: number | null;
  /** Every job of the range has had its turn. */
  readonly isSwept: boolean;
}

/**
 * How far one queue is swept. The moment of the cursor belongs to both parts: more jobs may have finished in the same
 * millisecond.
 */
export function coverageOf({ queue, range, order, cursorMs, isSwept }: SweepState): Coverage {
  if (isSwept) return { queue, covered: range, missing: null };
  if (cursorMs === null) return { queue, covered: null, missing: range };
  const atMs = Math.min(range.toMs, Math.max(range.fromMs, cursorMs));
  const before = { fromMs: range.fromMs, toMs: atMs };
  const behind = { fromMs: atMs, toMs: range.toMs };
  return order === 'oldest'
    ? { queue, covered: before, missing: behind }
    : { queue, covered: behind, missing: before };
}

/** The time range that a replay is about: when jobs finished, or were parked. */
function rangeOf({ spec, cutoffMs }: Pick<ReplayRecord, 'spec' | 'cutoffMs'>): TimeRange {
  const { fromMs = 0, toMs = cutoffMs } = spec.filter;
  return { fromMs, toMs: Math.min(toMs, cutoffMs) };
}

/** How far each queue of a replay is swept. Parked jobs have no order of their own: all of the range, or none of it. */
export function coveragesOf(record: ReplayRecord): readonly Coverage[] {
  const { order } = record.spec;
  return record.queues.map((queue) => {
    const cursorMs = Number(record.cursors[queue]?.score ?? Number.NaN);
    return coverageOf({
      queue,
      range: rangeOf(record),
      order,
      cursorMs: Number.isFinite(cursorMs) ? cursorMs : null,
      isSwept: record.isSwept,
    });
  });
}

/**
 * The account of a replay for people, as Markdown: what it was asked, what became of every job, what is missing.
 * @param showsData false: without the text that errors must hold.
 */
export function replayReport({ record, account, paceReason }: ReplayView, showsData: boolean): string {
  const { spec } = record;
  const lines = [
    `# Replay ${record.id}`,
    '',
    `- Asked by ${text(record.actor)} ${saidBy(`at ${iso(record.createdAtMs)}`, text(spec.reason))}`,
    `- Jobs: ${spec.from}, of ${record.queues.map(text).join(', ')} in ${text(record.instance)}`,
    `- ${spec.from === 'parked' ? 'Parked' : 'Finished'} ${range(spec.filter.fromMs, rangeOf(record).toMs)}${filterWords(spec.filter, showsData)}`,
    `- Order: ${spec.order} first; rate set: ${record.ratePerSecond}/s; guard: ${spec.guard ? 'on' : 'off'}`,
    `- State: ${record.pausedBy === 'guard' ? 'paused by auto-throttle' : record.state}${record.endedAtMs === null ? '' : ` since ${iso(record.endedAtMs)}`}. ${text(paceReason)}`,
    '',
    '| what | jobs |',
    '| --- | ---: |',
    ...accountRows(account).map(([what, jobs]) => `| ${what} | ${jobs} |`),
    '',
    ...coverage(record, account),
  ];
  return `${lines.join('\n')}\n`;
}

function accountRows(account: ReplayAccount): readonly (readonly [string, number])[] {
  return [
    [account.isCounted ? 'matched' : 'matched so far (being counted)', account.matched],
    ['moved back to waiting', account.moved],
    ['— succeeded', account.succeeded],
    ['— failed again', account.failedAgain],
    ['— ended, kept nowhere (whether well is not known)', account.gone],
    ['— still to run', account.toRun],
    ['skipped', account.skipped],
    ...Object.entries(account.skippedBecause).map(
      ([reason, jobs]) => [`— ${SKIP_REASONS[reason as SkipReason]}`, jobs ?? 0] as const,
    ),
    ['remaining', account.remaining],
  ];
}

/** Which part of the time range is covered, and which is missing. */
function coverage(record: ReplayView['record'], { remaining, matched }: ReplayAccount): readonly string[] {
  if (record.isSwept) return ['The time range is covered: every job that matched has had its turn.'];
  return [
    `The time range is not covered: ${remaining} of ${matched} jobs that match have not had their turn.`,
    '',
    '| queue | covered | missing |',
    '| --- | --- | --- |',
    ...coveragesOf(record).map(
      ({ queue, covered, missing }) => `| ${text(queue)} | ${part(covered)} | ${part(missing)} |`,
    ),
    ...(record.needsResweep
      ? [
          '',
          'Redis or the console broke off meanwhile: the range is swept once more before it counts as covered.',
        ]
      : []),
  ];
}

function part(of: TimeRange | null): string {
  return of === null ? 'nothing' : range(of.fromMs === 0 ? undefined : of.fromMs, of.toMs);
}

function filterWords(filter: ReplayView['record']['spec']['filter'], showsData: boolean): string {
  const words = [
    filter.jobTypes && filter.jobTypes.length > 0 ? `types ${filter.jobTypes.map(text).join(', ')}` : null,
    filter.errorText ? `error holds ${showsData ? `“${text(filter.errorText)}”` : 'a given text'}` : null,
    filter.attemptsMin !== undefined ? `at least ${filter.attemptsMin} attempts` : null,
    filter.attemptsMax !== undefined ? `at most ${filter.attemptsMax} attempts` : null,
    filter.dataField ? `data ${text(filter.dataField.path)} is a given value` : null,
  ].filter((word) => word !== null);
  return words.length > 0 ? `; ${words.join('; ')}` : '';
}

function range(fromMs: number | undefined, toMs: number): string {
  return `${fromMs === undefined ? 'at any time' : `from ${iso(fromMs)}`} until ${iso(toMs)}`;
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** Names and reasons hold any character: what Markdown or HTML would take for a sign is taken as a character. */
function text(value: string): string {
  return value
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/[\\`*_{}[\]<>|#]/g, '\\$&')
    .slice(0, 500);
}
