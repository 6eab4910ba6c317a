import type { ActionFormProps, FieldProps, SliderProps } from '../../../views/action-form.js';
import type { PreviewProps } from '../../../views/action-preview.js';
import { encodePart } from '../../../views/links.js';
import type { RegisteredAction, StepCall } from '../../actions/action.js';
import { findAction } from '../../actions/index.js';
import type { PlanBasis } from '../../forecast/plan-basis.js';
import { predict } from '../../forecast/predict.js';
import type { ActionError } from '../../model/action.js';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatRateLimit,
  formatThings,
} from '../../model/format.js';
import type { Role } from '../../model/role.js';
import { lowerFirst, plainName } from '../../model/words.js';
import { type ArgSpec, argWords, UNITS, valueTyped } from './action-args.js';
import { type ActionAsk, argsOf } from './action-ask.js';
import { type Foreseen, forecastOf } from './action-forecast.js';
import { progressPath } from './action-watch.js';

/** Beyond these a slider is too coarse for a finger: the box beside it takes any number. */
const MAX_SLOTS = 2_000;
const LEAST_MOST = 20;

/** A slider for the numbers with which a queue's flow is set; null for all others. Pure. */
function sliderOf(action: string, arg: string, ask: ActionAsk, { basis }: Foreseen): SliderProps | null {
  const most = mostOf(`${action} ${arg}`, ask, basis);
  const spec = ask.specs.find(({ name }) => name === arg);
  const typed = ask.typed[arg];
  if (most === null || !spec || !typed) return null;
  const value = valueTyped(spec, typed);
  const max = roundUp(most);
  return { min: 1, max, value: typeof value === 'number' ? Math.min(max, Math.max(1, value)) : max };
}

function mostOf(what: string, ask: ActionAsk, { input, workers }: PlanBasis): number | null {
  const sizes = input.types.flatMap(({ batch }) => batch?.batchSize ?? batch?.batchSizeAtLeast ?? []);
  const batch = Math.max(0, ...sizes);
  switch (what) {
    case 'workers.concurrency value': {
      const now = Math.max(0, ...workers.attached.map(({ agent }) => agent.concurrency.now));
      return Math.min(MAX_SLOTS, Math.max(LEAST_MOST, 10 * now, 10 * batch));
    }
    case 'queue.concurrency value':
      return Math.max(LEAST_MOST, input.slots);
    case 'queue.rate-limit max': {
      const spec = ask.specs.find(({ name }) => name === 'durationMs');
      const typed = ask.typed.durationMs;
      const duration = spec && typed ? valueTyped(spec, typed) : 1000;
      const seconds = typeof duration === 'number' && duration > 0 ? duration / 1000 : 1;
      const free = predict(input, { rateLimit: null, pauseQueue: false }).throughputPerSecond;
      return Math.max(LEAST_MOST, 2 * free * seconds, input.rateLimit?.max ?? 0);
    }
    default:
      return null;
  }
}

/** To 1, 2 or 5 times a power of ten, so that the end of a slider is a number that people know. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= value) ?? 10 * power;
}

const MAX_NAMES = 50;

export interface Targeted {
  readonly action: RegisteredAction;
  readonly ask: ActionAsk;
  /** Names of the queues that will be hit, as far as known. */
  readonly names: readonly string[];
  readonly role: Role;
}

/** What has to be typed: the queue's name, or how many they are. */
export function confirmWord({ action, ask, names }: Targeted): string | null {
  if (!action.losesJobs(argsOf(ask))) return null;
  return names.length === 1 ? (names[0] ?? '') : String(names.length);
}

/** What has to be typed before jobs are lost for good; null: nothing is. */
export function confirmOf(targeted: Targeted, errors: ActionError['fields']): ActionFormProps['confirm'] {
  const word = confirmWord(targeted);
  const error = errors.find(({ field }) => field === 'confirm')?.problem ?? null;
  return word === null ? null : { word, text: targeted.ask.confirm, error };
}

/** What pressing the button does, by what is typed; null: its title says it. */
function actionVerb(action: string, args: Readonly<Record<string, unknown>>): string | null {
  const { value, maxBytes, max, state, steps } = args;
  switch (action) {
    case 'workers.concurrency':
    case 'worker.concurrency':
      if (typeof value === 'number') return `Set concurrency to ${formatCount(value)}`;
      return value === null ? 'Set concurrency as deployed' : null;
    case 'queue.concurrency':
      if (typeof value === 'number') return `Set global concurrency to ${formatCount(value)}`;
      return value === null ? 'Remove the global concurrency' : null;
    case 'queue.rate-limit':
      return typeof max === 'number' || max === null
        ? max === null
          ? 'Remove the rate limit'
          : `Limit to ${formatRateLimit(max, Number(args.durationMs ?? 1000))}`
        : null;
    case 'redis.raise-maxmemory':
      return typeof maxBytes === 'number' ? `Raise maxmemory to ${formatBytes(maxBytes)}` : null;
    case 'queue.clean-finished':
      return state === 'failed' || state === 'completed' ? `Clean ${state} jobs` : null;
    case 'queue.park':
      return typeof args.jobType === 'string' ? `Park ${plainName(args.jobType)} jobs` : null;
    case 'sequence':
      return Array.isArray(steps) ? stepsVerb(steps) : null;
    default:
      return null;
  }
}

/** Of two it says both, of more how many they are. */
function stepsVerb(steps: readonly StepCall[]): string {
  const [first, second, ...more] = steps.map(
    ({ action, args }) => actionVerb(action, args) ?? findAction(action)?.title ?? action,
  );
  if (first === undefined) return 'Nothing';
  if (more.length > 0) return `Make room in ${formatThings(steps.length, 'step')}`;
  return second === undefined ? first : `${first}, then ${lowerFirst(second)}`;
}

/** What the button does: "Set concurrency to 50", "Pause 2 queues". */
export function verbOf(targeted: Targeted): string {
  const { action, ask } = targeted;
  const words = actionVerb(action.name, argsOf(ask));
  if (words !== null) return words;
  // "Pause reports"; of a longer title the heading says on what.
  return /^\w+$/.test(action.title) ? `${action.title} ${subjectOf(targeted)}` : action.title;
}

/** All that the form asks for, with what is wrong in it. */
export function formOf(
  targeted: Targeted,
  shown: PreviewProps,
  errors: ActionError['fields'],
  foreseen: Foreseen | null,
  nowMs: number,
  trouble: string | null = null,
): ActionFormProps {
  const { action, ask, names } = targeted;
  return {
    name: action.name,
    ...(action.isOfSteps
      ? { title: verbOf(targeted), subject: null }
      : { title: action.title, subject: subjectOf(targeted) }),
    place: action.scope === 'instance' ? '' : `Redis ${ask.instance}`,
    about: action.about,
    targets:
      names.length > 1
        ? { names: names.slice(0, MAX_NAMES), more: Math.max(0, names.length - MAX_NAMES) }
        : null,
    hidden: hiddenOf(action, ask),
    fields: actionFieldsOf(action, ask, errors, foreseen),
    forecast: foreseen && forecastOf(foreseen, nowMs),
    reason: ask.reason,
    confirm: confirmOf(targeted, errors),
    shown,
    verb: verbOf(targeted),
    progressUrl: action.isOfSteps ? progressPath(ask.instance, nowMs) : null,
    trouble,
  };
}

function subjectOf({ action, ask, names }: Targeted): string {
  if (action.scope === 'instance') return `Redis ${ask.instance}`;
  if (action.scope === 'job') return `job ${plainName(ask.jobId ?? '')}`;
  const type = action.name === 'jobtype.threshold' ? (ask.typed.type?.text ?? '') : '';
  if (type !== '' && names.length === 1) return `${plainName(type)} of ${plainName(names[0] ?? '')}`;
  if (names.length === 1) return plainName(names[0] ?? '');
  return formatThings(names.length, action.scope === 'worker' ? 'worker' : 'queue');
}

function hiddenOf(action: RegisteredAction, ask: ActionAsk): ActionFormProps['hidden'] {
  const hidden = [
    { name: 'action', value: action.name },
    { name: 'instance', value: ask.instance },
    ...ask.queues.map((id) => ({ name: 'encodedQueues', value: encodePart(id) })),
    ...ask.workers.map((id) => ({ name: 'encodedWorkers', value: encodePart(id) })),
  ];
  if (ask.match !== null) hidden.push({ name: 'match', value: ask.match });
  if (ask.jobId !== null) hidden.push({ name: 'jobId', value: ask.jobId });
  if (ask.goOn !== null) hidden.push({ name: 'then', value: ask.goOn });
  for (const spec of ask.specs) {
    const typed = ask.typed[spec.name];
    if ((spec.kind !== 'json' && !argWords(action.name, spec.name).isHidden) || !typed) continue;
    hidden.push(
      spec.kind === 'text' || spec.kind === 'json'
        ? { name: `arg.${spec.name}.encoded`, value: encodePart(typed.text) }
        : { name: `arg.${spec.name}`, value: typed.text },
    );
  }
  return hidden;
}

/** Of arguments of which exactly one is given only that one is shown: the first where none is. */
const ONE_OF: Readonly<Record<string, readonly string[]>> = {
  'workers.concurrency': ['value', 'factor', 'drainWithinSeconds'],
};

function isShown(action: RegisteredAction, ask: ActionAsk, spec: ArgSpec): boolean {
  if (spec.kind === 'json' || argWords(action.name, spec.name).isHidden) return false;
  const choice = ONE_OF[action.name];
  if (!choice?.includes(spec.name)) return true;
  const given = choice.find((name) => ask.typed[name]?.text || ask.typed[name]?.isNone) ?? choice[0];
  return spec.name === given;
}

export function actionFieldsOf(
  action: RegisteredAction,
  ask: ActionAsk,
  errors: ActionError['fields'],
  foreseen: Foreseen | null,
): readonly FieldProps[] {
  return ask.specs
    .filter((spec) => isShown(action, ask, spec))
    .map((spec) => ({
      ...fieldOf(action, ask, spec, errors),
      slider: foreseen && sliderOf(action.name, spec.name, ask, foreseen),
    }));
}

function fieldOf(
  action: RegisteredAction,
  ask: ActionAsk,
  spec: ArgSpec,
  errors: ActionError['fields'],
): FieldProps {
  const words = argWords(action.name, spec.name);
  const typed = ask.typed[spec.name] ?? { text: '', unit: '', isNone: false };
  const units = UNITS[spec.kind] ?? [];
  const choices = spec.name === 'forMs' ? expiriesOf(valueTyped(spec, typed)) : null;
  if (choices) {
    const error = errors.find((error) => error.field === spec.name)?.problem ?? null;
    const id = `field-${spec.name}`;
    return {
      id,
      name: `arg.${spec.name}`,
      label: words.label,
      hint: '',
      error,
      kind: 'chips',
      text: '',
      units: [],
      choices,
      none: null,
    };
  }
  return {
    id: `field-${spec.name.replace(/[^A-Za-z0-9]/g, '')}`,
    name: `arg.${spec.name}`,
    label: words.label,
    hint: words.hint,
    error: errors.find((error) => error.field === spec.name)?.problem ?? null,
    kind:
      spec.kind === 'bytes' || spec.kind === 'duration'
        ? 'number'
        : spec.kind === 'json'
          ? 'text'
          : spec.kind,
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

/** How long it holds, as chips; another time that was asked for is one too. */
function expiriesOf(asked: unknown): FieldProps['choices'] {
  const known = [
    { value: '900000', label: '15 min' },
    { value: '3600000', label: '1 h' },
    { value: '', label: 'until reset' },
  ];
  const value = typeof asked === 'number' ? String(asked) : '';
  const own = known.some((chip) => chip.value === value)
    ? []
    : [{ value, label: formatDuration(Number(value) / 1000) }];
  return [...own, ...known].map((chip) => ({ ...chip, isSelected: chip.value === value }));
}
