import { z } from 'zod';
import type { ActionWarning } from '../model/action.js';
import { ActionError } from '../model/action.js';
import { isFull } from '../model/queue-verdict.js';
import type { Snapshot } from '../model/snapshot.js';
import { actOnJob, type JobChange, type JobToChange, readJobFacts } from '../redis/job-changes.js';
import { type Action, type ActionContext, changed, warning } from './action.js';
import { makeRoomFirst, targetQueue, whyNoWrites } from './queue-target.js';

interface Args {
  readonly removeChildren?: boolean;
}
const noArguments: z.ZodType<Args> = z.strictObject({});
const removeArguments: z.ZodType<Args> = z.strictObject({
  removeChildren: z.boolean('must be true or false').default(false),
});

interface JobActionWords {
  readonly action: JobChange;
  readonly title: string;
  readonly about: string;
  readonly losesJobs?: boolean;
  /** States in which BullMQ allows it. */
  readonly from: readonly string[];
  readonly after: string;
  readonly warnsWhenFull: boolean;
}

/** One job: BullMQ's own calls, as they know all about flows, deduplication and priorities. */
function jobAction(words: JobActionWords): Action<Args, JobToChange> {
  return {
    name: `job.${words.action}`,
    title: words.title,
    about: words.about,
    scope: 'job',
    role: 'operator',
    ...(words.losesJobs ? { losesJobs: () => true } : {}),
    schema: words.action === 'remove' ? removeArguments : noArguments,
    unavailable: ({ snapshot }) => whyNoWrites(snapshot),
    read: (context) => existing(context),
    preview(job, args, context) {
      const isAllowed = words.from.includes(job.state) && !wouldBeLost(words, job);
      return {
        summary: isAllowed ? `${words.title} job ${jobIdOf(context)} (${job.name}).` : refusal(words, job),
        fields: [changed('state', job.state, isAllowed ? words.after : job.state)],
        effects: words.action === 'remove' ? effectsOnFlow(job, args) : [],
        warnings: words.warnsWhenFull ? whenFull(context.snapshot) : [],
        affected: { queues: 1, workers: null, jobs: isAllowed ? 1 : 0 },
        mechanism: `BullMQ’s own job.${words.action}().`,
        isNoop: !isAllowed,
      };
    },
    async apply(context, args, job) {
      if (!words.from.includes(job.state) || wouldBeLost(words, job))
        throw new ActionError('invalid', refusal(words, job));
      const jobId = jobIdOf(context);
      await actOnJob(
        context.link,
        targetQueue(context).id,
        jobId,
        words.action,
        job,
        args.removeChildren ?? false,
      );
      return { summary: `${words.title}: done.` };
    },
    async verify(context, _args, before) {
      const after = await readJobFacts(context.link, targetQueue(context).id, jobIdOf(context));
      const state = after?.state ?? 'removed';
      const ok = words.action === 'remove' ? after === null : state !== before.state;
      return {
        ok,
        summary: `The job is ${state}.`,
        fields: [changed('state', before.state, state)],
      };
    },
  };
}

function whenFull(snapshot: Snapshot): readonly ActionWarning[] {
  if (!isFull(snapshot)) return [];
  return [
    warning(
      'Redis is full: this is accepted and adds to what it holds, while no idle worker can take the job. Make room first.',
      makeRoomFirst(snapshot),
    ),
  ];
}

/**
 * BullMQ 6 puts a job into `wait` also while the queue is paused; BullMQ 5, when it resumes, lays its `paused` list over
 * `wait`. So what is put back now would be gone then.
 */
function wouldBeLost(words: JobActionWords, job: JobToChange): boolean {
  return words.action !== 'remove' && job.isPausedByV5;
}

function effectsOnFlow(job: JobToChange, args: Args): readonly string[] {
  const effects: string[] = [];
  if (job.openChildren > 0) {
    effects.push(
      args.removeChildren === true
        ? `All its children are removed with it, of which ${job.openChildren} have not ended.`
        : `It waits for ${job.openChildren} children: these stay and run.`,
    );
  }
  if (job.parentKey !== null)
    effects.push('Its parent no longer waits for it, and starts if it was the last.');
  return effects;
}

export const retryJob = jobAction({
  action: 'retry',
  title: 'Retry',
  about: 'Puts a failed or completed job back to waiting, with all its attempts. Its priority stays.',
  from: ['failed', 'completed'],
  after: 'waiting',
  warnsWhenFull: true,
});

export const promoteJob = jobAction({
  action: 'promote',
  title: 'Promote',
  about: 'Lets a delayed job run now.',
  from: ['delayed'],
  after: 'waiting',
  warnsWhenFull: true,
});

export const removeJob = jobAction({
  action: 'remove',
  title: 'Remove',
  about: 'Deletes a job that is not running, with its logs and result. There is no way back.',
  losesJobs: true,
  from: ['waiting', 'prioritized', 'delayed', 'completed', 'failed', 'waiting-children', 'unknown'],
  after: 'removed',
  warnsWhenFull: false,
});

function jobIdOf(context: Pick<ActionContext, 'target'>): string {
  if (context.target.jobId !== null) return context.target.jobId;
  throw new ActionError('invalid', 'jobId: this action acts on one job; give its id');
}

async function existing(context: ActionContext): Promise<JobToChange> {
  const jobId = jobIdOf(context);
  const job = await readJobFacts(context.link, targetQueue(context).id, jobId);
  if (job) return job;
  throw new ActionError('not-found', `jobId: there is no job ${jobId} in ${targetQueue(context).id}`);
}

function refusal(words: JobActionWords, job: JobToChange): string {
  const { state } = job;
  if (words.from.includes(state) && wouldBeLost(words, job)) {
    return 'The application has paused this queue with BullMQ 5, whose resume would overwrite what is put back now: resume the queue first.';
  }
  return `A job that is ${state} can't be ${words.action === 'retry' ? 'retried' : `${words.action}d`}; that works for ${words.from.join(', ')}.`;
}
