import type { ActivityEntry } from '../../model/activity-entry.js';
import {
  formatDuration,
  formatJobs,
  formatRate,
  formatRatio,
  formatThings,
  formatUtc,
  formatUtcSeconds,
} from '../../model/format.js';
import { headlineOfEpisode } from '../episode.js';
import type { IncidentFacts } from './facts.js';
import type { ImpactNumber } from './impact.js';
import { isActionThatHeld, type PostMortem, postMortemOf } from './impact.js';

/** Text of people, queues and workers as Markdown: it is shown as it is, on one line, whatever signs it holds. */
function markdownText(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[\\`*_[\]<>|#~]/g, (sign) => `\\${sign}`);
}

/** What somebody wrote for this document, in Markdown of their own; HTML in it is shown and not run. */
function markdownBlock(text: string): string {
  return text.trim().replace(/</g, '&lt;');
}

/** The impact in five numbers; what is not known says so. */
export function impactTiles({ durations, impact, loss }: PostMortem) {
  const of = (label: string, number: ImpactNumber | null, words: (value: number) => string) => ({
    label,
    value: number === null ? 'unknown' : words(number.value),
  });
  return [
    { label: 'Duration', value: formatDuration(durations.lastsSeconds) },
    of('Backlog peak', impact.backlogJobs, formatJobs),
    of('Longest wait', impact.longestWaitSeconds, formatDuration),
    of('Rejected writes', impact.refusedPerSecond, (value) => `up to ${formatRate(value)}`),
    { label: 'Jobs lost', value: loss.verdict === 'none-known' ? 'none known' : 'possibly' },
  ];
}

/** Queues named in the draft. */
const MAX_NAMED = 20;

/** The impact, a line each: what is not known says so. */
function impactLines(postMortem: PostMortem): readonly string[] {
  return impactRows(postMortem).map(({ label, value }) => `- ${label}: ${markdownText(value)}`);
}

/** The same for a page: label and value as plain text. */
export function impactRows(
  postMortem: PostMortem,
): readonly { readonly label: string; readonly value: string }[] {
  const { impact, durations, delayed, loss } = postMortem;
  return [
    { label: 'Queues', value: queuesInWords(postMortem.queues) },
    {
      label: 'Findings',
      value: `${formatThings(postMortem.findings.length, 'finding')}, ${postMortem.openFindings} of them still open`,
    },
    { label: 'Detected', value: after(durations.detectedAfterSeconds, 'unknown') },
    { label: 'First alert', value: after(durations.alertedAfterSeconds, 'none on the timeline') },
    { label: 'First action', value: after(durations.firstActionAfterSeconds, 'none from the console') },
    {
      label: 'Resolved',
      value: after(
        durations.resolvedAfterSeconds,
        postMortem.openFindings > 0 ? 'not yet: a finding lasts' : 'unknown: no finding tells',
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
      value: `${loss.verdict === 'none-known' ? 'none known.' : 'possibly.'} ${loss.reasons.join(' ')}`,
    },
    { label: 'Jobs replayed', value: replayedInWords(postMortem) },
    { label: 'Jobs parked', value: parkedInWords(postMortem) },
  ];
}

function queuesInWords(queues: readonly string[]): string {
  if (queues.length === 0) return 'none named by a finding';
  const more = queues.length - MAX_NAMED;
  return `${queues.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function after(seconds: number | null, unknown: string): string {
  if (seconds === null) return unknown;
  return seconds === 0 ? 'at its beginning, or before' : `after ${formatDuration(seconds)}`;
}

function number(of: ImpactNumber | null, words: (value: number) => string): string {
  if (of === null) return 'unknown';
  const at = of.atMs === null ? '' : ` at ${formatUtcSeconds(of.atMs)}`;
  return `${words(of.value)}${at}${of.source === 'history' ? '' : ' (as findings saw it)'}`;
}

function delayInWords(delayed: PostMortem['delayed']): string {
  if (delayed === null) return 'none known';
  const { atLeastJobs, waitedJobSeconds, thresholdJobs, source } = delayed;
  const waited =
    waitedJobSeconds === null
      ? 'how long they waited together is unknown'
      : `they waited at least ${formatDuration(waitedJobSeconds)} in all (the backlog, added up while it was ${formatJobs(thresholdJobs)} or more)`;
  return `at least ${formatJobs(atLeastJobs)}, the peak of a backlog; ${waited}${source === 'history' ? '' : ' (as findings saw it)'}`;
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

/** What of an incident is written by people. */
export interface DraftWords {
  readonly title: string;
  readonly severity: string | null;
  readonly createdBy: string | null;
  readonly affects: string;
  /** Address of its picture; left out: there is none. */
  readonly picture?: string;
  readonly notes: Readonly<
    Partial<Record<'summary' | 'cause' | 'wentWell' | 'wentBadly' | 'nextSteps', string>>
  >;
}

const MAX_CAUSES = 5;
/** More lines than this are nothing that anybody reads; the timeline itself has all. */
const MAX_LINES = 300;
const TO_FILL_IN = '_To be filled in._';

/** A post-mortem as a draft in Markdown: what is known is written, what only people know is left to them. Pure. */
export function draftOf(words: DraftWords, facts: IncidentFacts): string {
  const postMortem = postMortemOf(facts);
  const { notes } = words;
  return `${[
    `# Post-mortem: ${markdownText(words.title)}`,
    `_Draft made ${formatUtc(facts.nowMs)} from what the console recorded. All times are UTC._`,
    headOf(words, postMortem).join('\n'),
    section('Summary', notes.summary),
    `## Impact\n\n${impactLines(postMortem).join('\n')}`,
    section('Cause', notes.cause?.trim() ? notes.cause : causesOf(postMortem)),
    `## Timeline\n\n${words.picture === undefined ? '' : `![What happened, as bars in time](${words.picture})\n\n`}${timelineOf(facts)}`,
    `## Actions\n\n${actionsOf(facts)}`,
    section('What went well', notes.wentWell),
    section('What went badly', notes.wentBadly),
    section('Next steps', notes.nextSteps),
    ...(postMortem.unknown.length > 0
      ? [`## Not known\n\n${postMortem.unknown.map((line) => `- ${line}`).join('\n')}`]
      : []),
  ].join('\n\n')}\n`;
}

function headOf({ severity, createdBy, affects }: DraftWords, postMortem: PostMortem): readonly string[] {
  const { fromMs, toMs, durations } = postMortem;
  const lasted = formatDuration(durations.lastsSeconds);
  return [
    `- From ${formatUtc(fromMs)} ${toMs === null ? `until now (still open, ${lasted} so far)` : `to ${formatUtc(toMs)} (${lasted})`}`,
    ...(severity === null ? [] : [`- Severity: ${severity}`]),
    ...(affects === '' ? [] : [`- Customers noticed: ${markdownText(affects)}`]),
    ...(createdBy === null ? [] : [`- Declared by ${markdownText(createdBy)}`]),
  ];
}

/** What findings said of why, a line each, to begin with; empty: they said nothing. */
function causesOf({ findings }: PostMortem): string | undefined {
  const said = findings.filter(({ cause }) => cause !== '').slice(0, MAX_CAUSES);
  if (said.length === 0) return undefined;
  const lines = said.map(
    (episode) =>
      `- ${markdownText(headlineOfEpisode(episode))}: ${markdownText([episode.cause, episode.effect].filter(Boolean).join(' '))}`,
  );
  return ['_As the console found it; to be checked._', '', ...lines].join('\n');
}

function section(title: string, text: string | undefined): string {
  return `## ${title}\n\n${text?.trim() ? markdownBlock(text) : TO_FILL_IN}`;
}

function timelineOf({ entries, areEntriesCut }: IncidentFacts): string {
  if (entries.length === 0) return 'Nothing is on the timeline of this range.';
  const shown = entries.slice(0, MAX_LINES);
  const left = entries.length - shown.length;
  const more =
    left > 0 || areEntriesCut ? ['', '_There are more entries; the timeline of the console has them._'] : [];
  return ['| Time (UTC) | What |', '| --- | --- |', ...shown.map(lineOf), ...more].join('\n');
}

function lineOf(entry: ActivityEntry): string {
  const who = entry.actor === null ? '' : ` (${markdownText(entry.actor)})`;
  const notes = entry.notes.map(
    ({ actor, text }) => ` — Note of ${markdownText(actor)}: ${markdownText(text)}`,
  );
  const kind = entry.kind === 'marker.deploy' ? 'Deploy: ' : entry.kind === 'marker.note' ? 'Note: ' : '';
  return `| ${formatUtcSeconds(entry.atMs)} | ${kind}${markdownText(entry.text)}${who}${notes.join('')} |`;
}

function actionsOf({ entries }: IncidentFacts): string {
  const actions = entries.filter(({ audited }) => audited !== null);
  if (actions.length === 0) return 'Nobody changed anything from the console.';
  return actions.slice(0, MAX_LINES).map(actionLine).join('\n');
}

function actionLine(entry: ActivityEntry): string {
  const { audited } = entry;
  if (audited === null) return '';
  const changes = audited.changes.map(
    ({ label, before, after }) =>
      `${markdownText(label)} ${markdownText(before) || '–'} → ${markdownText(after)}`,
  );
  const what = changes.length > 0 ? ` ${changes.join('; ')}.` : '';
  const outcome = isActionThatHeld(entry) ? '' : ` **${audited.status}**.`;
  const measured = audited.measured ? ` Measured after: ${markdownText(audited.measured)}` : '';
  return `- ${formatUtcSeconds(entry.atMs)} ${markdownText(entry.actor ?? 'unknown')}: ${markdownText(audited.action)}: ${markdownText(entry.text)}${what}${outcome} Why: ${markdownText(audited.reason) || 'not said'}.${measured}`;
}
