import { z } from 'zod';
import type { ActionStep, Outcome } from '../model/action.js';
import { ActionError, type Applied } from '../model/action.js';
import { formatBytes, formatThings } from '../model/format.js';
import { lowerFirst } from '../model/words.js';
import { type MemoryLimits, readNodeMemory } from '../redis/relief.js';
import type { Action, ActionContext, RegisteredAction, StepCall } from './action.js';
import { warning } from './action.js';
import { makesRoom } from './aim.js';

const MAX_STEPS = 8;
const MAX_FIELDS = 40;

const stepSchema = z.strictObject({
  action: z.string().describe('Name of an action of an instance, queues or workers'),
  queues: z.array(z.string()).max(1_000).default([]),
  workers: z.array(z.string()).max(500).optional(),
  args: z.record(z.string(), z.unknown()).default({}),
});

interface Args {
  readonly steps: readonly StepCall[];
  readonly roomBytes?: number | undefined;
}

interface State {
  readonly planned: readonly ActionStep[];
  readonly undo: readonly StepCall[];
  readonly warnings: readonly string[];
  readonly nodes: readonly MemoryLimits[];
}

interface Made extends Applied {
  readonly steps: readonly ActionStep[];
}

/**
 * Several actions as one: a preview of all, then step by step until one fails; with room enough, what would only make more of it
 * is left out. What was done by then stays, is in the audit by itself, and can be taken back by itself or all together.
 * @param single the actions that may be steps.
 */
export function sequenceOf(single: readonly RegisteredAction[]): Action<Args, State, Made> {
  const known = (name: string): RegisteredAction | null =>
    single.find((action) => action.name === name && action.scope !== 'job') ?? null;
  return {
    name: 'sequence',
    title: 'Several actions in order',
    about:
      'Applies up to eight actions one after the other, and stops when one fails. With roomBytes, steps that make room are left out once so much is free under maxmemory. Needs the strictest role of its steps.',
    scope: 'instance',
    role: 'operator',
    roleFor: ({ steps }) =>
      steps.some(({ action, args }) => known(action)?.roleFor(args) === 'admin') ? 'admin' : 'operator',
    losesJobs: ({ steps }) => steps.some(({ action, args }) => known(action)?.losesJobs(args) ?? false),
    isOfSteps: true,
    schema: z.strictObject({
      steps: z
        .array(stepSchema)
        .min(1, 'must hold at least one step')
        .max(MAX_STEPS, `must hold at most ${MAX_STEPS} steps`)
        .superRefine((steps, context) => {
          for (const [i, { action, args }] of steps.entries())
            for (const message of problemsOf(known(action), args))
              context.addIssue({ code: 'custom', path: [i], message });
        }),
      roomBytes: z
        .int('must be a whole number of bytes')
        .min(0, 'must be 0 or more')
        .optional()
        .describe(
          'Free bytes under maxmemory, on every master, from which no further step that makes room is needed',
        ),
    }),
    unavailable: () => null,
    async read(context, { steps }) {
      const planned: ActionStep[] = [];
      const undo: StepCall[] = [];
      const warnings: string[] = [];
      for (const step of steps) {
        const outcomes = await context.run(step, true);
        planned.push(stepOf(known(step.action), step, outcomes, 'planned'));
        undo.unshift(...undoOf(outcomes));
        // What is to be done first, as Redis is full, is done first here.
        const hasRoom = planned.slice(0, -1).some(({ action }) => makesRoom(action));
        warnings.push(
          ...outcomes
            .flatMap(({ preview }) => preview?.warnings ?? [])
            .flatMap(({ text, instead }) => (hasRoom && instead.length > 0 ? [] : text)),
        );
        const [first] = outcomes;
        // Nothing is done yet: what would be refused now is better known before the first step than after it.
        if (first && outcomes.every(({ status }) => status === 'refused'))
          throw new ActionError('unavailable', first.summary);
      }
      return { planned, undo, warnings: [...new Set(warnings)], nodes: await memoryOf(context) };
    },
    preview({ planned, warnings, nodes }, { roomBytes }) {
      const freed = sumOf(planned.map(({ predictedFreedBytes }) => predictedFreedBytes));
      const left = leftOver(planned, nodes, freed, roomBytes);
      return {
        summary: `${formatThings(planned.length, 'step')}, one after the other: ${planned.map(({ title }) => lowerFirst(title)).join(', ')}.`,
        fields: planned.flatMap(({ fields }) => fields).slice(0, MAX_FIELDS),
        effects: planned.map(({ summary }, i) => `${i + 1}. ${summary}`),
        warnings: [...warnings, ...left].map((text) => warning(text)),
        affected: {
          queues: new Set(planned.flatMap(({ queues }) => queues)).size,
          workers: null,
          jobs: 0,
        },
        predictedFreedBytes: freed,
        mechanism:
          'Each step is the action of that name, with its own way to work on a full Redis and its own audit record. Memory is read after each.',
        isNoop: planned.every(({ status }) => status === 'unchanged'),
        steps: planned,
      };
    },
    undo: ({ undo }) => asSequence(undo),
    async apply(context, { steps, roomBytes }, { planned }) {
      const done: ActionStep[] = [];
      const undo: StepCall[] = [];
      let isFailed = false;
      let hasRoom = false;
      for (const [i, step] of steps.entries()) {
        const plan = planned[i];
        if (isFailed || (hasRoom && makesRoom(step.action))) {
          if (plan) done.push({ ...plan, status: isFailed ? 'not-reached' : 'not-needed' });
          continue;
        }
        const outcomes = await context.run(step, false);
        const room = roomOf(await memoryOf(context));
        const one = { ...stepOf(known(step.action), step, outcomes, 'done'), roomBytes: room };
        done.push({ ...one, predictedFreedBytes: plan?.predictedFreedBytes ?? null });
        undo.unshift(...undoOf(outcomes));
        isFailed = one.status === 'failed';
        hasRoom = roomBytes !== undefined && room !== null && room >= roomBytes;
      }
      const [first] = done;
      if (first?.status === 'failed')
        throw new ActionError('unavailable', `${first.title}: ${first.summary}`);
      return {
        summary: doneInWords(done),
        freedBytes: sumOf(done.map(({ freedBytes }) => freedBytes)),
        isUnchanged: done.every(({ status }) => status === 'unchanged'),
        steps: done,
        undo: asSequence(undo),
      };
    },
    async verify(context, _args, { nodes }, { steps }) {
      const after = await memoryOf(context);
      const failed = steps.find(({ status }) => status === 'failed');
      return {
        ok: failed === undefined,
        summary: failed ? `${failed.title}: ${failed.summary} What was done before it stays.` : 'Done.',
        fields: after.map((node, i) => ({
          label: after.length > 1 ? `free under maxmemory at ${node.address}` : 'free under maxmemory',
          before: freeInWords(nodes[i] ?? null),
          after: freeInWords(node),
        })),
        warnings: [...new Set(steps.flatMap(({ warnings }) => warnings))],
      };
    },
  };
}

function problemsOf(action: RegisteredAction | null, args: unknown): readonly string[] {
  if (!action) return ['action: is not an action that can be a step'];
  const parsed = action.parse(args);
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

function memoryOf({ link }: ActionContext): Promise<readonly MemoryLimits[]> {
  return Promise.all(link.actionMasters().map(readNodeMemory));
}

/** Free under the limit of the master that has least; below 0: it is over. null: none has a limit. */
function roomOf(nodes: readonly MemoryLimits[]): number | null {
  const rooms = nodes.flatMap(({ maxBytes, usedBytes }) => (maxBytes > 0 ? [maxBytes - usedBytes] : []));
  return rooms.length > 0 ? Math.min(...rooms) : null;
}

function freeInWords(node: MemoryLimits | null): string {
  if (node === null || node.maxBytes <= 0) return 'no limit';
  const room = node.maxBytes - node.usedBytes;
  return room < 0 ? `none, ${formatBytes(-room)} over` : formatBytes(room);
}

function stepOf(
  action: RegisteredAction | null,
  step: StepCall,
  outcomes: readonly Outcome[],
  what: 'planned' | 'done',
): ActionStep {
  const isAll = (...wanted: readonly Outcome['status'][]): boolean =>
    outcomes.length > 0 && outcomes.every(({ status }) => wanted.includes(status));
  const isNoop = outcomes.every(({ preview }) => preview?.isNoop ?? false);
  const status =
    what === 'planned'
      ? isNoop
        ? 'unchanged'
        : 'planned'
      : isAll('refused', 'failed')
        ? 'failed'
        : isAll('unchanged')
          ? 'unchanged'
          : 'done';
  const [first] = outcomes;
  const more = outcomes.length > 1 ? ` And so for ${formatThings(outcomes.length - 1, 'more queue')}.` : '';
  return {
    action: step.action,
    title: action?.title ?? step.action,
    queues: [...step.queues],
    status,
    summary: `${first?.summary ?? ''}${more}`,
    fields: outcomes.flatMap(({ fields }) => fields).slice(0, MAX_FIELDS),
    warnings: [...new Set(outcomes.flatMap(({ warnings }) => warnings))],
    predictedFreedBytes: sumOf(outcomes.map(({ preview }) => preview?.predictedFreedBytes ?? null)),
    freedBytes: sumOf(outcomes.map(({ freedBytes }) => freedBytes)),
    roomBytes: null,
    isReversible: outcomes.some(({ undo }) => undo !== null),
    auditIds: outcomes.flatMap(({ auditId }) => auditId ?? []),
  };
}

/** The way back of each target, the last first. */
function undoOf(outcomes: readonly Outcome[]): readonly StepCall[] {
  return outcomes.flatMap(({ undo }) => {
    if (!undo) return [];
    const { action, queues, workers, args } = undo;
    return [{ action, queues: [...queues], args, ...(workers === undefined ? {} : { workers }) }];
  });
}

function asSequence(steps: readonly StepCall[]) {
  return steps.length > 0 && steps.length <= MAX_STEPS
    ? { action: 'sequence', args: { steps: [...steps] } }
    : null;
}

/** null: none is known. */
function sumOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) : null;
}

/** What is missing even when every step does what is forecast of it. */
function leftOver(
  planned: readonly ActionStep[],
  nodes: readonly MemoryLimits[],
  freedBytes: number | null,
  roomBytes: number | undefined,
): readonly string[] {
  const room = roomOf(nodes);
  if (roomBytes === undefined || room === null) return [];
  // A new limit is not what is freed: it is in the fields of its own step alone.
  if (planned.some(({ action }) => action === 'redis.raise-maxmemory')) return [];
  const missing = roomBytes - room - (freedBytes ?? 0);
  return missing > 0 ? [`That leaves ${formatBytes(missing)} less room than is needed.`] : [];
}

function doneInWords(steps: readonly ActionStep[]): string {
  const words = steps.map(({ title, status, summary }) =>
    status === 'not-needed'
      ? `${title}: not needed.`
      : status === 'not-reached'
        ? `${title}: not reached.`
        : summary,
  );
  return words.map((text, i) => `${i + 1}. ${text}`).join(' ');
}
