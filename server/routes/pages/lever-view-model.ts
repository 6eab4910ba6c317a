import type { FieldProps, LeverFormProps } from '../../../views/lever-form.js';
import type { PreviewProps } from '../../../views/lever-preview.js';
import type { Role } from '../../auth/role.js';
import { plainName } from '../../findings/words.js';
import type { LeverError } from '../../levers/lever.js';
import type { RegisteredLever } from '../../levers/register.js';
import { formatThings } from '../../model/format.js';
import { type Foreseen, forecastOf } from './forecast-view-model.js';
import { type ArgSpec, UNITS } from './lever-args.js';
import type { LeverAsk } from './lever-ask.js';
import { sliderOf } from './lever-slider.js';
import { argWords } from './lever-words.js';
import { encodePart } from './links.js';

const MOST_NAMES = 50;

export interface Targeted {
  readonly lever: RegisteredLever;
  readonly ask: LeverAsk;
  /** Names of the queues that will be hit, as far as known. */
  readonly names: readonly string[];
  readonly role: Role;
}

/** What has to be typed: the queue's name, or how many they are. */
export function confirmWord({ lever, names }: Targeted): string | null {
  if (!lever.isDestructive) return null;
  return names.length === 1 ? (names[0] ?? '') : String(names.length);
}

export function formOf(
  targeted: Targeted,
  preview: PreviewProps,
  errors: LeverError['fields'],
  foreseen: Foreseen | null,
  trouble: string | null = null,
): LeverFormProps {
  const { lever, ask, names } = targeted;
  const subject = subjectOf(targeted);
  const word = confirmWord(targeted);
  const errorOf = (field: string): string | null =>
    errors.find((error) => error.field === field)?.problem ?? null;
  return {
    title: lever.title,
    subject,
    place: lever.scope === 'instance' ? '' : `Redis ${ask.instance}`,
    about: lever.about,
    targets:
      names.length > 1
        ? { names: names.slice(0, MOST_NAMES), more: Math.max(0, names.length - MOST_NAMES) }
        : null,
    hidden: hiddenOf(lever, ask),
    fields: fieldsOf(lever, ask, errors, foreseen),
    forecast: foreseen && forecastOf(foreseen),
    reason: { text: ask.reason, error: errorOf('reason') },
    confirm: word === null ? null : { word, text: ask.confirm, error: errorOf('confirm') },
    preview,
    submit: `${lever.title}: ${subject}`,
    isDestructive: lever.isDestructive,
    trouble,
  };
}

export function subjectOf({ lever, ask, names }: Targeted): string {
  if (lever.scope === 'instance') return `Redis ${ask.instance}`;
  if (lever.scope === 'job') return `job ${plainName(ask.jobId ?? '')}`;
  const type = lever.name === 'jobtype.threshold' ? (ask.typed.type?.text ?? '') : '';
  if (type !== '' && names.length === 1) return `${plainName(type)} of ${plainName(names[0] ?? '')}`;
  if (names.length === 1) return plainName(names[0] ?? '');
  return formatThings(names.length, lever.scope === 'worker' ? 'worker' : 'queue');
}

function hiddenOf(lever: RegisteredLever, ask: LeverAsk): LeverFormProps['hidden'] {
  const hidden = [
    { name: 'lever', value: lever.name },
    { name: 'instance', value: ask.instance },
    ...hiddenQueues(ask.queues),
    ...hiddenWorkers(ask.workers),
  ];
  if (ask.match !== null) hidden.push({ name: 'match', value: ask.match });
  if (ask.jobId !== null) hidden.push({ name: 'jobId', value: ask.jobId });
  if (ask.goOn !== null) hidden.push({ name: 'then', value: ask.goOn });
  for (const spec of ask.specs) {
    const typed = ask.typed[spec.name];
    if (!argWords(lever.name, spec.name).isHidden || !typed) continue;
    hidden.push(
      spec.kind === 'text'
        ? { name: `arg.${spec.name}.encoded`, value: encodePart(typed.text) }
        : { name: `arg.${spec.name}`, value: typed.text },
    );
  }
  return hidden;
}

/** Queue ids as a form can carry them. */
export function hiddenQueues(queues: readonly string[]): LeverFormProps['hidden'] {
  return queues.map((id) => ({ name: 'encodedQueues', value: encodePart(id) }));
}

export function hiddenWorkers(workers: readonly string[]): LeverFormProps['hidden'] {
  return workers.map((id) => ({ name: 'encodedWorkers', value: encodePart(id) }));
}

/** Of arguments of which exactly one is given only that one is shown: the first where none is. */
const ONE_OF: Readonly<Record<string, readonly string[]>> = {
  'workers.concurrency': ['value', 'factor', 'drainWithinSeconds'],
};

function isShown(lever: RegisteredLever, ask: LeverAsk, spec: ArgSpec): boolean {
  if (argWords(lever.name, spec.name).isHidden) return false;
  const choice = ONE_OF[lever.name];
  if (!choice?.includes(spec.name)) return true;
  const given = choice.find((name) => ask.typed[name]?.text || ask.typed[name]?.isNone) ?? choice[0];
  return spec.name === given;
}

export function fieldsOf(
  lever: RegisteredLever,
  ask: LeverAsk,
  errors: LeverError['fields'],
  foreseen: Foreseen | null,
): readonly FieldProps[] {
  return ask.specs
    .filter((spec) => isShown(lever, ask, spec))
    .map((spec) => ({
      ...fieldOf(lever, ask, spec, errors),
      slider: foreseen && sliderOf(lever.name, spec.name, ask, foreseen),
    }));
}

function fieldOf(
  lever: RegisteredLever,
  ask: LeverAsk,
  spec: ArgSpec,
  errors: LeverError['fields'],
): FieldProps {
  const words = argWords(lever.name, spec.name);
  const typed = ask.typed[spec.name] ?? { text: '', unit: '', isNone: false };
  const units = UNITS[spec.kind] ?? [];
  return {
    id: `field-${spec.name.replace(/[^A-Za-z0-9]/g, '')}`,
    name: `arg.${spec.name}`,
    label: words.label,
    hint: words.hint,
    error: errors.find((error) => error.field === spec.name)?.problem ?? null,
    kind: spec.kind === 'bytes' || spec.kind === 'duration' ? 'number' : spec.kind,
    text: typed.text,
    units: units.map((unit) => ({
      value: unit.value,
      label: unit.label,
      isSelected: unit.value === typed.unit,
    })),
    choices: spec.choices.map((value) => ({
      value,
      label: words.choices?.[value] ?? value,
      isSelected: value === typed.text,
    })),
    none: spec.isNullable ? { label: words.noneLabel ?? 'None', isChecked: typed.isNone } : null,
  };
}
