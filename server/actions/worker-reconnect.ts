import { z } from 'zod';
import { RECONNECT_WITHIN_MS, type WorkerAnswer } from '../../agent/protocol.js';
import { ActionError, type Applied } from '../model/action.js';
import { formatCount, formatDuration, formatJobs } from '../model/format.js';
import type { AgentFacts, WorkerState } from '../model/worker.js';
import { readControl } from '../redis/queue-control.js';
import { type Action, type ActionContext, type ActionTarget, changed, warning } from './action.js';
import { askOnce, whyNoOrders } from './give-order.js';
import { refusedByAll, resultOf } from './order-answers.js';
import { handleOf } from './queue-target.js';
import { whileFull } from './slots.js';

/** Its answer takes its time, and a while on the way. */
const ANSWER_WITHIN_MS = RECONNECT_WITHIN_MS + 1_000;

interface State {
  readonly worker: WorkerState;
  readonly agent: AgentFacts;
}

/** null: it did not answer in time. */
type Asked = Applied & { readonly answer: WorkerAnswer | null };

/**
 * New connections for a worker that is connected and takes nothing. Done once: nothing is kept, and nothing is written to
 * Redis, so that a full one is no obstacle. It counts as done where the worker has taken a job since.
 */
export const workerReconnect: Action<object, State, Asked> = {
  name: 'worker.reconnect',
  title: 'Reconnect one worker',
  about:
    'For a worker that is connected and takes nothing: it drops the connection on which it waits for jobs and makes a new one, and the one by which it takes them too where that does not answer. Verified by a job that it takes.',
  scope: 'worker',
  role: 'operator',
  schema: z.strictObject({}),
  unavailable: (context) => whyNoOrders(context) ?? whyNot(context.target),
  async read({ target: { worker } }) {
    if (!worker?.agent)
      throw new ActionError('invalid', 'workers: this action acts on a worker with the agent');
    return { worker, agent: worker.agent };
  },
  preview({ worker, agent }, _args, { snapshot, target }) {
    const isAtWork = agent.running > 0 && agent.finishedPerSecond > 0;
    const waiting = target.queue?.backlog ?? 0;
    return {
      summary: `${worker.label} gets new connections to Redis and asks for jobs again.`,
      fields: [changed('state', worker.verdict, 'taking jobs')],
      effects: [
        'The connection on which it waits is dropped and made anew; the one by which it takes jobs too, where it does not answer within a second.',
        agent.running === 0
          ? 'It has no job in hand that could suffer.'
          : `${formatJobs(agent.running)} that it runs ${agent.running === 1 ? 'goes' : 'go'} on.`,
        `Within ${formatDuration(RECONNECT_WITHIN_MS / 1000)} it says whether it has taken a job; ${formatCount(waiting)} wait. If it has not, restart its process: ${placeOf(worker)}.`,
      ],
      warnings: [
        ...(isAtWork ? [warning('It takes jobs as it is: there is nothing to gain.')] : []),
        ...whileFull(snapshot, true).map((warning) => ({
          ...warning,
          text: 'Redis is full: connecting works, but a free slot is refused jobs until there is room. Make room first.',
        })),
      ],
      affected: { queues: 1, workers: 1, jobs: agent.running },
      mechanism: 'An order to the agent in the worker’s process, published and not kept.',
    };
  },
  async apply(context, _args, state) {
    const { order, answer } = await askOnce(
      context,
      { setting: 'reconnect', value: true },
      state.worker,
      ANSWER_WITHIN_MS,
    );
    const result = resultOf(state.worker, [order], answer ? [answer] : []);
    if (result.result === 'refused') throw new ActionError('refused-by-workers', refusedByAll([result]));
    return {
      answer,
      summary: answer
        ? `${state.worker.label}: ${answer.note ?? 'it has connected anew'}.`
        : `${state.worker.label} did not answer within ${formatDuration(ANSWER_WITHIN_MS / 1000)}.`,
      workers: [{ ...result, note: answer ? result.note : UNHEARD }],
    };
  },
  async verify(context, _args, { worker }, { answer }) {
    const ok = answer?.tookJob === true;
    return {
      ok,
      summary: ok ? 'It has taken a job.' : await whatRemains(context, worker, answer),
      fields: [changed('state', worker.verdict, ok ? 'taking jobs' : 'not seen to take jobs')],
    };
  },
};

const UNHEARD = 'its agent is deaf, or older than this order';

function whyNot({ worker }: Pick<ActionTarget, 'worker'>): string | null {
  if (!worker) return null;
  if (worker.verdict === 'crashed') return `${worker.label} has ended: start it again`;
  const paused = worker.agent?.paused;
  return paused === 'order' || paused === 'application'
    ? `${worker.label} is paused: resume it instead (worker.resume)`
    : null;
}

/** Why no job has shown that it works, and what is left to do. */
async function whatRemains(
  context: ActionContext,
  worker: WorkerState,
  answer: WorkerAnswer | null,
): Promise<string> {
  const restart = `restart its process: ${placeOf(worker)}`;
  if (!answer) return `Not confirmed (${UNHEARD}): if it still takes nothing, ${restart}.`;
  const { waiting, legacyPaused, prioritized, ...control } = await readControl(handleOf(context));
  const count = waiting + legacyPaused + prioritized;
  if (control.isPausedByApplication || control.concurrency === 0)
    return 'Its queue is paused, so whether it takes jobs will show once that is resumed.';
  if (count === 0) return 'Nothing waits now, so whether it takes jobs will show with the next one.';
  return `It has taken no job though ${formatJobs(count)} ${count === 1 ? 'waits' : 'wait'}: ${restart}.`;
}

function placeOf({ pid, host }: WorkerState): string {
  return `pid ${pid ?? 'not known'} on ${host ?? 'a host that is not known'}`;
}
