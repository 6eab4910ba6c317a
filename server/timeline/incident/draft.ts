import { formatDuration, formatUtc, formatUtcSeconds } from '../../model/format.js';
import type { ActivityEntry } from '../activity-entry.js';
import { impactLines, markdownBlock, markdownText } from './draft-impact.js';
import type { IncidentFacts } from './facts.js';
import { isActionThatHeld } from './impact.js';
import { type PostMortem, postMortemOf } from './post-mortem.js';

/** What of an incident is written by people. */
export interface DraftWords {
  readonly title: string;
  readonly severity: string | null;
  readonly createdBy: string | null;
  readonly affects: string;
  readonly notes: Readonly<
    Partial<Record<'summary' | 'cause' | 'wentWell' | 'wentBadly' | 'nextSteps', string>>
  >;
}

/** More lines than this are no account that anybody reads; the timeline itself has all. */
const MAX_LINES = 300;
const TO_FILL_IN = '_To be filled in._';

/** A post-mortem as a draft in Markdown: what is known is told, what only people know is left to them. Pure. */
export function draftOf(words: DraftWords, facts: IncidentFacts): string {
  const account = postMortemOf(facts);
  const { notes } = words;
  return `${[
    `# Post-mortem: ${markdownText(words.title)}`,
    `_Draft made ${formatUtc(facts.nowMs)} from what the console recorded. All times are UTC._`,
    headOf(words, account).join('\n'),
    section('Summary', notes.summary),
    `## Impact\n\n${impactLines(account).join('\n')}`,
    section('Cause', notes.cause),
    `## Timeline\n\n${timelineOf(facts)}`,
    `## Actions\n\n${actionsOf(facts)}`,
    section('What went well', notes.wentWell),
    section('What went badly', notes.wentBadly),
    section('Next steps', notes.nextSteps),
    ...(account.unknown.length > 0
      ? [`## Not known\n\n${account.unknown.map((line) => `- ${line}`).join('\n')}`]
      : []),
  ].join('\n\n')}\n`;
}

function headOf({ severity, createdBy, affects }: DraftWords, account: PostMortem): readonly string[] {
  const { fromMs, toMs, durations } = account;
  const lasted = formatDuration(durations.lastsMs / 1000);
  return [
    `- From ${formatUtc(fromMs)} ${toMs === null ? `until now (still open, ${lasted} so far)` : `to ${formatUtc(toMs)} (${lasted})`}`,
    ...(severity === null ? [] : [`- Severity: ${severity}`]),
    ...(affects === '' ? [] : [`- Customers noticed: ${markdownText(affects)}`]),
    ...(createdBy === null ? [] : [`- Marked as an incident by ${markdownText(createdBy)}`]),
  ];
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
