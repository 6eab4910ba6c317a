import { z } from 'zod';
import { actOnJob, type JobAction, type JobFacts, readJobFacts } from '../redis/job-actions.js';
import { type Lever, type LeverContext, LeverError, type LeverWarning } from './lever.js';
import { isFull, queueOf, whyNoWrites } from './queue-target.js';

type Args = Record<never, never>;

interface JobLeverWords {
  readonly action: JobAction;
  readonly title: string;
  readonly about: string;
  readonly isDestructive: boolean;
  /** States in which BullMQ allows it. */
  readonly from: readonly string[];
  readonly after: string;
  readonly warnsWhenFull: boolean;
}

/** One job: BullMQ's own calls, as they know all about flows, deduplication and priorities. */
function jobLever(words: JobLeverWords): Lever<Args, JobFacts> {
  return {
    name: `job.${words.action}`,
    title: words.title,
    about: words.about,
    scope: 'job',
    role: 'operator',
    isDestructive: words.isDestructive,
    schema: z.strictObject({}),
    unavailable: ({ snapshot }) => whyNoWrites(snapshot),
    read: (context) => existing(context),
    preview(job, _args, context) {
      const isAllowed = words.from.includes(job.state);
      return {
        summary: isAllowed
          ? `${words.title} job ${jobIdOf(context)} (${job.name}).`
          : refusal(words, job.state),
        fields: [{ label: 'state', before: job.state, after: isAllowed ? words.after : job.state }],
        effects:
          job.hasChildren && words.action === 'remove'
            ? ['Its unfinished children are removed with it.']
            : [],
        warnings: words.warnsWhenFull && isFull(context.snapshot) ? [FULL_WARNING] : [],
        affected: { queues: 1, workers: null, jobs: isAllowed ? 1 : 0 },
        predictedFreedBytes: null,
        isReversible: false,
        mechanism: `BullMQ’s own job.${words.action}().`,
        isNoop: !isAllowed,
      };
    },
    async apply(context, _args, job) {
      if (!words.from.includes(job.state)) throw new LeverError('invalid', refusal(words, job.state));
      await actOnJob(context.link, queueOf(context).id, jobIdOf(context), words.action);
      return { summary: `${words.title}: done.`, freedBytes: null, affectedJobs: 1 };
    },
    async verify(context, _args, before) {
      const after = await readJobFacts(context.link, queueOf(context).id, jobIdOf(context));
      const state = after?.state ?? 'removed';
      const ok = words.action === 'remove' ? after === null : state !== before.state;
      return {
        ok,
        summary: `The job is ${state}.`,
        fields: [{ label: 'state', before: before.state, after: state }],
        warnings: [],
      };
    },
    undo: () => null,
  };
}

const FULL_WARNING: LeverWarning = {
  text: 'Redis is full: this is accepted and adds to what it holds, while no idle worker can take the job. Make room first.',
  instead: [],
};

export const retryJob = jobLever({
  action: 'retry',
  title: 'Retry',
  about: 'Puts a failed or completed job back to waiting, with all its attempts. Its priority stays.',
  isDestructive: false,
  from: ['failed', 'completed'],
  after: 'waiting',
  warnsWhenFull: true,
});

export const promoteJob = jobLever({
  action: 'promote',
  title: 'Promote',
  about: 'Lets a delayed job run now.',
  isDestructive: false,
  from: ['delayed'],
  after: 'waiting',
  warnsWhenFull: true,
});

export const removeJob = jobLever({
  action: 'remove',
  title: 'Remove',
  about: 'Deletes a job that is not running, with its logs and result. There is no way back.',
  isDestructive: true,
  from: ['waiting', 'prioritized', 'delayed', 'completed', 'failed', 'waiting-children', 'unknown'],
  after: 'removed',
  warnsWhenFull: false,
});

function jobIdOf(context: Pick<LeverContext, 'target'>): string {
  if (context.target.jobId !== null) return context.target.jobId;
  throw new LeverError('invalid', 'jobId: this lever acts on one job; give its id');
}

async function existing(context: LeverContext): Promise<JobFacts> {
  const jobId = jobIdOf(context);
  const job = await readJobFacts(context.link, queueOf(context).id, jobId);
  if (job) return job;
  throw new LeverError('not-found', `jobId: there is no job ${jobId} in ${queueOf(context).id}`);
}

function refusal(words: JobLeverWords, state: string): string {
  return `A job that is ${state} can't be ${words.action === 'retry' ? 'retried' : `${words.action}d`}; that works for ${words.from.join(', ')}.`;
}
