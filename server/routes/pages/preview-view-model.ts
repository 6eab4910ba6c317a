import type { ChangeProps, PreviewProps, WarningProps } from '../../../views/action-preview.js';
import { actionPath } from '../../../views/links.js';
import type { ActionError, ActionWarning, Field, Outcome } from '../../model/action.js';
import { formatBytes, formatCount, formatJobs, formatThings } from '../../model/format.js';
import { argsOf } from './action-ask.js';
import type { Targeted } from './action-view-model.js';
import { remedyButton } from './finding-view-model.js';

/** A preview that can't be made: the request itself is wrong, or Redis can't be asked. */
export function previewOfError(error: ActionError): PreviewProps {
  const isInvalid = error.code === 'invalid' && error.fields.length > 0;
  return {
    ...NOTHING,
    state: isInvalid ? 'invalid' : 'refused',
    summary: isInvalid
      ? 'Put right what is marked, and this tells what it would do.'
      : upperFirst(error.message),
  };
}

const NOTHING: PreviewProps = {
  state: 'nothing',
  summary: '',
  changes: [],
  effects: [],
  warnings: [],
  affected: '',
  freed: null,
  isReversible: true,
  mechanism: '',
  refusals: [],
};

/** Dry runs of one or of many targets as one preview: the same told once, with how many it holds for. */
export function previewOf(outcomes: readonly Outcome[], targeted: Targeted): PreviewProps {
  const previews = outcomes.flatMap((outcome) => (outcome.preview ? [outcome.preview] : []));
  const [first] = previews;
  const refused = outcomes.filter((outcome) => outcome.status === 'refused' || outcome.status === 'failed');
  const refusals = tally(refused.map((outcome) => outcome.summary)).map(
    ({ text, count }) => `${count > 1 ? `${formatThings(count, 'queue')}: ` : ''}${upperFirst(text)}`,
  );
  if (!first) return { ...NOTHING, state: 'refused', summary: 'This can’t be done here.', refusals };
  const working = previews.filter((preview) => !preview.isNoop);
  const isOne = outcomes.length === 1;
  const freed = previews.flatMap((preview) => preview.predictedFreedBytes ?? []);
  return {
    state: working.length === 0 ? 'nothing' : 'ready',
    summary: isOne ? first.summary : summaryOfMany(outcomes.length, working.length, refused.length),
    changes: changesOf(
      previews.flatMap((preview) => preview.fields),
      isOne,
    ),
    effects: isOne ? first.effects : [],
    warnings: warningsOf(
      previews.flatMap((preview) => preview.warnings),
      isOne,
      targeted,
    ),
    affected: affectedInWords(working.length > 0 ? working : previews),
    freed: freed.length > 0 ? formatBytes(freed.reduce((sum, bytes) => sum + bytes, 0)) : null,
    isReversible: previews.every((preview) => preview.isReversible),
    mechanism: first.mechanism,
    refusals,
  };
}

function summaryOfMany(all: number, working: number, refused: number): string {
  const same = all - working - refused;
  const parts = [`${formatThings(working, 'queue')} will change`];
  if (same > 0) parts.push(`${formatCount(same)} ${same === 1 ? 'is' : 'are'} so already`);
  if (refused > 0) parts.push(`${formatCount(refused)} can’t be changed`);
  return `${parts.join(', ')}.`;
}

/** Of many queues: what each label comes to, told once, with the span of what stands there now. */
export function changesOf(fields: readonly Field[], isOne: boolean): readonly ChangeProps[] {
  if (isOne) return fields.map((field) => ({ ...field, count: '' }));
  const groups = new Map<string, { readonly field: Field; readonly befores: string[] }>();
  for (const field of fields) {
    const key = JSON.stringify([field.label, field.after]);
    const group = groups.get(key);
    if (group) group.befores.push(field.before);
    else groups.set(key, { field, befores: [field.before] });
  }
  return [...groups.values()]
    .sort((a, b) => b.befores.length - a.befores.length)
    .slice(0, 6)
    .map(({ field, befores }) => ({
      label: field.label,
      before: spanOf(befores),
      after: field.after,
      count: formatThings(befores.length, 'queue'),
    }));
}

/** "155 to 10,016" for numbers, "running, paused by Spillway" for words. */
function spanOf(values: readonly string[]): string {
  const distinct = [...new Set(values)];
  if (distinct.length === 1) return distinct[0] ?? '';
  const numbers = distinct.map((text) => ({ text, number: Number(text.replace(/,/g, '')) }));
  if (numbers.every(({ number }) => Number.isFinite(number))) {
    const sorted = numbers.sort((a, b) => a.number - b.number);
    return `${sorted[0]?.text} to ${sorted.at(-1)?.text}`;
  }
  return distinct.length <= 3
    ? distinct.join(' or ')
    : `${distinct.slice(0, 2).join(', ')} or ${distinct.length - 2} others`;
}

function warningsOf(
  warnings: readonly ActionWarning[],
  isOne: boolean,
  targeted: Targeted,
): readonly WarningProps[] {
  const { ask, role } = targeted;
  const then = wayBackTo(targeted);
  const byText = new Map<string, { warning: ActionWarning; count: number }>();
  for (const warning of warnings) {
    const known = byText.get(warning.text);
    if (known) known.count += 1;
    else byText.set(warning.text, { warning, count: 1 });
  }
  return [...byText.values()].slice(0, 6).map(({ warning, count }) => ({
    text: warning.text,
    count: isOne || count === 1 ? '' : formatThings(count, 'queue'),
    instead: warning.instead
      .slice(0, 3)
      .map((remedy) =>
        remedyButton(remedy, ask.instance, role, { why: ask.reason, ...(then === null ? {} : { then }) }),
      ),
  }));
}

/** The same action with what was typed so far, to come back to once room was made; null where it is too long to carry. */
function wayBackTo({ action, ask }: Targeted): string | null {
  if (ask.queues.length > 5) return null;
  return actionPath({
    action: action.name,
    instance: ask.instance,
    queues: ask.queues,
    args: argsOf(ask),
    why: ask.reason,
    ...(ask.match === null ? {} : { match: ask.match }),
    ...(ask.jobId === null ? {} : { jobId: ask.jobId }),
  });
}

function affectedInWords(previews: readonly NonNullable<Outcome['preview']>[]): string {
  const sum = (read: (preview: (typeof previews)[number]) => number | null): number =>
    previews.reduce((total, preview) => total + (read(preview) ?? 0), 0);
  const parts: string[] = [];
  const queues = sum((preview) => preview.affected.queues);
  if (queues > 0) parts.push(formatThings(queues, 'queue'));
  if (previews.some((preview) => preview.affected.workers !== null)) {
    parts.push(
      formatThings(
        sum((preview) => preview.affected.workers),
        'worker',
      ),
    );
  }
  const jobs = sum((preview) => preview.affected.jobs);
  if (jobs > 0) parts.push(formatJobs(jobs));
  return parts.join(', ');
}

function tally(texts: readonly string[]): readonly { readonly text: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].map(([text, count]) => ({ text, count })).slice(0, 6);
}

export function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
