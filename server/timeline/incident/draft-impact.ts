import {
  formatDuration,
  formatJobs,
  formatRate,
  formatRatio,
  formatThings,
  formatUtcSeconds,
} from '../../model/format.js';
import type { ImpactNumber } from './impact.js';
import type { PostMortem } from './post-mortem.js';

/** Text of people, queues and workers as Markdown: it is shown as it is, on one line, whatever signs it holds. */
export function markdownText(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[\\`*_[\]<>|#~]/g, (sign) => `\\${sign}`);
}

/** What somebody wrote for this document, in Markdown of their own; HTML in it is shown and not run. */
export function markdownBlock(text: string): string {
  return text.trim().replace(/</g, '&lt;');
}

/** Queues named in the draft. */
const MAX_NAMED = 20;

/** The impact, a line each: what is not known says so. */
export function impactLines(account: PostMortem): readonly string[] {
  return impactRows(account).map(({ label, value }) => `- ${label}: ${markdownText(value)}`);
}

/** The same for a page: label and value as plain text. */
export function impactRows(
  account: PostMortem,
): readonly { readonly label: string; readonly value: string }[] {
  const { impact, durations, delayed, loss } = account;
  return [
    { label: 'Queues', value: queuesInWords(account.queues) },
    {
      label: 'Findings',
      value: `${formatThings(account.findings.length, 'finding')}, ${account.openFindings} of them still open`,
    },
    { label: 'Detected', value: after(durations.detectedAfterMs, 'unknown') },
    { label: 'First alert', value: after(durations.alertedAfterMs, 'none on the timeline') },
    { label: 'First action', value: after(durations.firstActionAfterMs, 'none from the console') },
    {
      label: 'Resolved',
      value: after(
        durations.resolvedAfterMs,
        account.openFindings > 0 ? 'not yet: a finding lasts' : 'unknown: no finding tells',
      ),
    },
    {
      label: 'Memory at its peak',
      value: number(impact.memoryRatio, (v) => `${formatRatio(v)} of the limit`),
    },
    { label: 'Backlog at its peak', value: number(impact.backlogJobs, formatJobs) },
    { label: 'Longest wait', value: number(impact.longestWaitSeconds, formatDuration) },
    { label: 'Writes refused', value: number(impact.refusedPerSecond, (v) => `up to ${formatRate(v)}`) },
    { label: 'Jobs failed', value: number(impact.failedJobs, formatJobs) },
    { label: 'Jobs delayed', value: delayInWords(delayed) },
    {
      label: 'Jobs lost',
      value: `${loss.verdict === 'none-known' ? 'none known.' : 'possibly.'} ${loss.because.join(' ')}`,
    },
    { label: 'Jobs replayed', value: replayedInWords(account) },
    { label: 'Jobs parked', value: parkedInWords(account) },
  ];
}

function queuesInWords(queues: readonly string[]): string {
  if (queues.length === 0) return 'none named by a finding';
  const more = queues.length - MAX_NAMED;
  return `${queues.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function after(ms: number | null, unknown: string): string {
  if (ms === null) return unknown;
  return ms === 0 ? 'at its beginning, or before' : `after ${formatDuration(ms / 1000)}`;
}

function number(of: ImpactNumber | null, words: (value: number) => string): string {
  if (of === null) return 'unknown';
  const at = of.atMs === null ? '' : ` at ${formatUtcSeconds(of.atMs)}`;
  return `${words(of.value)}${at} (${of.source === 'history' ? 'from the history of signals' : 'as findings saw it'})`;
}

function delayInWords(delayed: PostMortem['delayed']): string {
  if (delayed === null) return 'none known';
  const { atLeastJobs, waitedJobSeconds, thresholdJobs, source } = delayed;
  const waited =
    waitedJobSeconds === null
      ? 'how long they waited together is unknown'
      : `they waited at least ${formatDuration(waitedJobSeconds)} in all (the backlog, added up while it was ${formatJobs(thresholdJobs)} or more)`;
  return `at least ${formatJobs(atLeastJobs)}, the peak of a backlog; ${waited} (${source === 'history' ? 'from the history of signals' : 'as findings saw it'})`;
}

function replayedInWords({ replays }: PostMortem): string {
  if (replays.length === 0) return 'none';
  const sum = (of: 'moved' | 'succeeded' | 'failedAgain' | 'gone') =>
    replays.reduce((total, replay) => total + replay[of], 0);
  return `${formatJobs(sum('moved'))} in ${formatThings(replays.length, 'replay')}: ${sum('succeeded')} succeeded, ${sum('failedAgain')} failed again, ${sum('gone')} left no trace`;
}

function parkedInWords({ parkings }: PostMortem): string {
  if (parkings.length === 0) return 'none';
  const sum = (of: 'parked' | 'restored' | 'remaining') =>
    parkings.reduce((total, parking) => total + parking[of], 0);
  return `${formatJobs(sum('parked'))}: ${sum('restored')} brought back, ${sum('remaining')} on disk`;
}
