import type { ActionRequest } from '../model/action.js';
import { ActionError, type Outcome } from '../model/action.js';
import type { RateWindow } from '../model/rate-limit.js';
import type { OrderOutcome, ReplayQueueView } from '../model/replay.js';
import type { Actor } from '../model/role.js';
import type { QueueState } from '../model/snapshot.js';
import { globMatcher } from '../model/text.js';
import type { Watch } from '../watch/watch.js';
import type { ReplayOrder } from './replay-request.js';
import { isSelected, type ReplaySelection } from './replay-request.js';
import type { Replays } from './replays.js';

/** Windows in which a broken rate is a whole number of jobs, to a tenth of a job a second. */
const LONG_WINDOW_MS = 10_000;

/**
 * The rate of a replay as a limit of a queue: 50/s is 50 per second, 0.5/s is 5 per 10 s.
 * @param perSecond at least 0.1
 */
export function limitOfRate(perSecond: number): RateWindow {
  if (Number.isInteger(perSecond)) return { max: perSecond, durationMs: 1000 };
  return { max: Math.max(1, Math.round((perSecond * LONG_WINDOW_MS) / 1000)), durationMs: LONG_WINDOW_MS };
}

interface ReplayQueuesDeps {
  readonly watch: Watch;
  /** By instance, over queue ids and names. */
  readonly globs: Readonly<Record<string, readonly string[]>>;
  readonly pull: (actor: Actor, request: ActionRequest) => Promise<readonly Outcome[]>;
}

/**
 * Replay queues: the one action on all replays reaches them too, through the actions of any queue, so that it works while
 * Redis is full, is audited and can be undone. A pause leaves the rate limit as it is, and the resume brings back the
 * concurrency of before. What the application itself has paused is left to it, by both.
 */
export class ReplayQueues {
  readonly #deps: ReplayQueuesDeps;
  readonly #tests: ReadonlyMap<string, readonly ((text: string) => boolean)[]>;

  constructor(deps: ReplayQueuesDeps) {
    this.#deps = deps;
    this.#tests = new Map(
      Object.entries(deps.globs).map(([instance, globs]) => [instance, globs.map(globMatcher)]),
    );
  }

  /** Those that there are now, by instance and id. */
  list(): readonly ReplayQueueView[] {
    return this.#deps.watch.snapshots().flatMap(({ instance, queues }) => {
      const tests = this.#tests.get(instance) ?? [];
      if (tests.length === 0) return [];
      return queues
        .filter((queue) => tests.some((test) => test(queue.id) || test(queue.name)))
        .map((queue) => viewOf(instance, queue))
        .sort((a, b) => (a.queue < b.queue ? -1 : 1));
    });
  }

  /** Pauses, resumes or re-rates those that are selected. Never rejects: what goes wrong is an outcome. */
  async changeAll(
    actor: Actor,
    selection: ReplaySelection,
    order: ReplayOrder,
    isDryRun: boolean,
  ): Promise<readonly OrderOutcome[]> {
    const chosen = this.list().filter(({ instance, queue: id }) =>
      isSelected({ instance, queues: [id] }, selection),
    );
    const outcomes: OrderOutcome[] = [];
    for (const instance of new Set(chosen.map((queue) => queue.instance))) {
      const queues = chosen.filter((queue) => queue.instance === instance);
      outcomes.push(...(await this.#changeIn(actor, instance, queues, order, isDryRun)));
    }
    return outcomes;
  }

  async #changeIn(
    actor: Actor,
    instance: string,
    queues: readonly ReplayQueueView[],
    order: ReplayOrder,
    isDryRun: boolean,
  ): Promise<readonly OrderOutcome[]> {
    const outcomes: OrderOutcome[] = [];
    const pull = async (action: string, args: object, ids: readonly string[]): Promise<void> => {
      if (ids.length > 0)
        outcomes.push(...(await this.#pull(actor, { instance, action, args, queues: ids }, order, isDryRun)));
    };
    const ids = queues.map(({ queue: id }) => id);
    const own = queues.filter(({ state }) => state !== 'paused').map(({ queue: id }) => id);
    const left = order.state === undefined ? [] : ids.filter((id) => !own.includes(id));
    // A pause comes first and a resume last, so that nothing starts under a rate that is about to change.
    if (order.state === 'paused') await pull('queue.pause', {}, own);
    if (order.ratePerSecond !== undefined)
      await pull('queue.rate-limit', limitOfRate(order.ratePerSecond), ids);
    if (order.state === 'running') await pull('queue.resume', {}, own);
    const why = (id: string, status: OrderOutcome['status'], summary: string): void =>
      void outcomes.push({ ...bare(instance, id, isDryRun), status, summary });
    if (order.state === 'aborted')
      for (const id of ids) why(id, 'refused', 'A replay queue has no end of its own: pause it instead.');
    else
      for (const id of left)
        why(
          id,
          order.state === 'paused' ? 'unchanged' : 'refused',
          'The application itself has paused this queue: that is left to it.',
        );
    return outcomes;
  }

  async #pull(
    actor: Actor,
    call: Pick<ActionRequest, 'instance' | 'action' | 'args' | 'queues'>,
    { reason }: ReplayOrder,
    dryRun: boolean,
  ): Promise<readonly OrderOutcome[]> {
    try {
      const outcomes = await this.#deps.pull(actor, { ...call, reason, dryRun });
      return outcomes.map((outcome) => outcomeOf(outcome, call.instance));
    } catch (error) {
      if (!(error instanceof ActionError)) throw error;
      return call.queues.map((id) => ({
        ...bare(call.instance, id, dryRun),
        status: 'refused',
        summary: error.message,
      }));
    }
  }
}

function viewOf(instance: string, queue: QueueState): ReplayQueueView {
  return {
    instance,
    queue: queue.id,
    name: queue.name,
    state: queue.flow,
    backlog: queue.backlog,
    active: queue.counts.active,
    perSecond: queue.rates?.departuresPerSecond ?? null,
    rateLimit: queue.rateLimit,
  };
}

function bare(instance: string, queue: string, isDryRun: boolean): Omit<OrderOutcome, 'status' | 'summary'> {
  return { replay: null, instance, queues: [queue], warnings: [], auditId: null, undo: null, isDryRun };
}

/** What an action made of a queue; in a dry run what it would make of it. */
function outcomeOf(outcome: Outcome, instance: string): OrderOutcome {
  const changes = outcome.fields
    .filter(({ before, after }) => before !== after)
    .map(({ label, before, after }) => `${label} ${before} → ${after}`);
  return {
    ...bare(instance, outcome.queue ?? '', outcome.isDryRun),
    status: outcome.status,
    summary: [outcome.summary, changes.length > 0 ? `${changes.join(', ')}.` : ''].join(' ').trim(),
    warnings: outcome.warnings,
    auditId: outcome.auditId,
    undo: outcome.undo,
  };
}

/**
 * The one action: all replays under way and all replay queues of a selection, at the same time. An outcome for each;
 * what goes wrong at one stops no other.
 */
export async function changeAllReplays(
  {
    replays,
    replayQueues,
  }: { readonly replays: Pick<Replays, 'changeAll'>; readonly replayQueues: ReplayQueues },
  actor: Actor,
  selection: ReplaySelection,
  order: ReplayOrder,
  isDryRun: boolean,
): Promise<readonly OrderOutcome[]> {
  const outcomes = await Promise.all([
    replays.changeAll(actor, selection, order, isDryRun),
    replayQueues.changeAll(actor, selection, order, isDryRun),
  ]);
  return outcomes.flat();
}
