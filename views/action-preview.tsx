import type { FC } from 'hono/jsx';
import type { ActionStep, Field, Outcome, Preview } from '../server/model/action.js';
import type { Remedy } from '../server/model/finding.js';
import { formatBytes, formatCount, formatJobs, formatThings } from '../server/model/format.js';
import { capitalized } from '../server/model/words.js';
import { Icon } from './icon.js';
import { RemedyButton, type RemedyProps } from './remedy.js';

export interface PreviewProps {
  /** Of a dry run, one for each target. */
  readonly outcomes: readonly Outcome[];
  /** Why there is none; null: there is one. */
  readonly problem: string | null;
  readonly buttonOf: (remedy: Remedy) => RemedyProps;
}

/** What comes of applying it: 'nothing' where it is so already. */
export function previewState({ outcomes, problem }: PreviewProps): 'ready' | 'nothing' | 'refused' {
  const previews = previewsOf(outcomes);
  if (problem !== null || previews.length === 0) return 'refused';
  return previews.every(({ isNoop }) => isNoop) ? 'nothing' : 'ready';
}

function previewsOf(outcomes: readonly Outcome[]): readonly Preview[] {
  return outcomes.flatMap(({ preview }) => preview ?? []);
}

const MOST = 6;

/** A dry run: before and after, one line of effect, what hurts. Asked for again whenever a field changes. */
export const ActionPreview: FC<PreviewProps & { readonly hasFields: boolean }> = ({
  hasFields,
  ...shown
}) => {
  const { outcomes, problem, buttonOf } = shown;
  const state = previewState(shown);
  const previews = previewsOf(outcomes);
  const isOne = outcomes.length === 1;
  const [first] = previews;
  const refused = outcomes.filter(({ status }) => status === 'refused' || status === 'failed');
  return (
    <section
      id="action-preview"
      class={`preview preview-${state}`}
      aria-label="What it would do"
      aria-live="polite"
      hx-post="/action/preview"
      hx-trigger={hasFields ? 'input delay:250ms from:#action-fields' : 'never'}
      hx-target="this"
      hx-swap="outerMorph"
      hx-sync="this:replace"
    >
      {first?.steps && isOne && problem === null ? null : (
        <p class="preview-summary">{problem ?? summaryOf(outcomes, previews)}</p>
      )}
      {state === 'nothing' ? <p class="hint">It is so already: there is nothing to change.</p> : null}
      {first?.steps && isOne ? (
        <Steps steps={first.steps} />
      ) : (
        <Changes fields={previews.flatMap(({ fields }) => fields)} isOne={isOne} />
      )}
      {tally(
        previews.flatMap(({ warnings }) => warnings),
        ({ text }) => text,
      ).map(({ one, count }) => (
        <div class="preview-warning">
          <p>
            <span class="state-icon state-warning">
              <Icon name="warning" />
            </span>{' '}
            {one.text}
            {count > 1 ? <span class="hint"> ({formatThings(count, 'queue')})</span> : null}
          </p>
          {one.instead.length > 0 ? (
            <>
              <p class="preview-first">Do first:</p>
              <ul class="remedies">
                {one.instead.slice(0, 3).map((remedy, i) => (
                  <RemedyButton {...buttonOf(remedy)} isFirst={i === 0} />
                ))}
              </ul>
            </>
          ) : null}
        </div>
      ))}
      {tally(refused, ({ summary }) => summary).map(({ one, count }) => (
        <p class="preview-refusal">
          <span class="state-icon state-critical">
            <Icon name="stuck" />
          </span>{' '}
          {count > 1 ? `${formatThings(count, 'queue')}: ` : ''}
          {capitalized(one.summary)}
        </p>
      ))}
      {isOne && first?.effects[0] && !first.steps ? <p class="preview-effect">{first.effects[0]}</p> : null}
      <Affected previews={previews.filter(({ isNoop }) => !isNoop)} />
      {first ? (
        <details class="how">
          <summary>How it works</summary>
          {isOne && !first.steps ? first.effects.slice(1).map((effect) => <p>{effect}</p>) : null}
          <p class="mechanism">{first.mechanism}</p>
        </details>
      ) : null}
    </section>
  );
};

function summaryOf(outcomes: readonly Outcome[], previews: readonly Preview[]): string {
  const [first] = previews;
  if (!first) return 'This can’t be done here.';
  if (outcomes.length === 1) return first.summary;
  const working = previews.filter(({ isNoop }) => !isNoop).length;
  const refused = outcomes.filter(({ status }) => status === 'refused' || status === 'failed').length;
  const same = outcomes.length - working - refused;
  const parts = [`${formatThings(working, 'queue')} will change`];
  if (same > 0) parts.push(`${formatCount(same)} ${same === 1 ? 'is' : 'are'} so already`);
  if (refused > 0) parts.push(`${formatCount(refused)} can’t be changed`);
  return `${parts.join(', ')}.`;
}

/** Whom it hits, what it should free, and whether it can be undone. */
const Affected: FC<{ readonly previews: readonly Preview[] }> = ({ previews }) => {
  if (previews.length === 0) return null;
  const sum = (read: (preview: Preview) => number | null): number =>
    previews.reduce((total, preview) => total + (read(preview) ?? 0), 0);
  const counts = [
    [sum(({ affected }) => affected.queues), 'queue'],
    [sum(({ affected }) => affected.workers), 'worker'],
  ] as const;
  const jobs = sum(({ affected }) => affected.jobs);
  const hits = [
    ...counts.flatMap(([count, noun]) => (count > 0 ? [formatThings(count, noun)] : [])),
    ...(jobs > 0 ? [formatJobs(jobs)] : []),
  ];
  const freed = sum(({ predictedFreedBytes }) => predictedFreedBytes);
  return (
    <p class="preview-affected">
      {hits.length > 0 && !previews.some(({ steps }) => steps) ? `Affects ${hits.join(', ')}. ` : ''}
      {freed > 0 ? `Frees about ${formatBytes(freed)}. ` : ''}
      {previews.every(({ isReversible }) => isReversible) ? 'Can be undone.' : 'Can’t be undone.'}
    </p>
  );
};

const STEP_WORDS: Readonly<Record<ActionStep['status'], string>> = {
  planned: '',
  done: '✓ done',
  unchanged: 'was so already',
  failed: '✗ failed',
  'not-needed': 'not needed any more',
  'not-reached': 'not reached',
};

/** Several actions in order: before → after of each, and afterwards what came of it. */
export const Steps: FC<{ readonly steps: readonly ActionStep[] }> = ({ steps }) => (
  <ol class="action-steps">
    {steps.map((step) => (
      <li class={`action-step is-${step.status}`}>
        <p>
          <strong>{step.title}</strong>
          {step.fields.length === 1 ? step.fields.map((field) => <Change {...field} />) : null}{' '}
          <span class="outcome-status">{STEP_WORDS[step.status]}</span>
        </p>
        {step.status === 'failed' ? <p>{step.summary}</p> : null}
        {step.fields.length === 1 ? null : (
          <Changes fields={step.fields.slice(0, 3)} isOne={step.queues.length < 2} />
        )}
        {step.status === 'planned' || step.freedBytes === null ? null : (
          <p class="hint">Freed {formatBytes(step.freedBytes)}.</p>
        )}
        {step.status === 'planned' && step.predictedFreedBytes ? (
          <p class="hint">Frees about {formatBytes(step.predictedFreedBytes)}.</p>
        ) : null}
      </li>
    ))}
  </ol>
);

/** Of many queues: what each label comes to, said once, with the span of what stands there now. */
export const Changes: FC<{ readonly fields: readonly Field[]; readonly isOne: boolean }> = ({
  fields,
  isOne,
}) => {
  const groups = isOne
    ? fields.map((field) => ({ field, befores: [field.before] }))
    : grouped(fields).slice(0, MOST);
  return groups.length === 0 ? null : (
    <dl class="changes">
      {groups.map(({ field, befores }) => (
        <div class="change">
          <dt>
            {field.label}
            {isOne ? null : <span class="hint"> {formatThings(befores.length, 'queue')}</span>}
          </dt>
          <dd>
            <Change before={spanOf(befores)} after={field.after} />
          </dd>
        </div>
      ))}
    </dl>
  );
};

const Change: FC<Pick<Field, 'before' | 'after'>> = ({ before, after }) => (
  <>
    {' '}
    <span class="before">{before}</span>{' '}
    <span class="arrow">
      <Icon name="arrow" />
      <span class="visually-hidden">becomes</span>
    </span>{' '}
    <span class="after">{after}</span>
  </>
);

function grouped(fields: readonly Field[]): { readonly field: Field; readonly befores: string[] }[] {
  const groups = new Map<string, { readonly field: Field; readonly befores: string[] }>();
  for (const field of fields) {
    const key = JSON.stringify([field.label, field.after]);
    const group = groups.get(key);
    if (group) group.befores.push(field.before);
    else groups.set(key, { field, befores: [field.before] });
  }
  return [...groups.values()].sort((a, b) => b.befores.length - a.befores.length);
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

/** The same said once, with how often it holds. */
function tally<T>(
  all: readonly T[],
  keyOf: (one: T) => string,
): { readonly one: T; readonly count: number }[] {
  const counts = new Map<string, { readonly one: T; count: number }>();
  for (const one of all) {
    const known = counts.get(keyOf(one));
    if (known) known.count += 1;
    else counts.set(keyOf(one), { one, count: 1 });
  }
  return [...counts.values()].slice(0, MOST);
}
