import { fact } from '../model/evidence.js';
import { formatCount, formatDuration, formatJobs, formatRate, rowSeconds } from '../model/format.js';
import { graceMsOf, hangingJobs, UNKNOWN_GRACE_MS } from '../model/hanging.js';
import type { AgentFacts, SeenWorker } from '../model/worker.js';
import {
  ago,
  expiry,
  flow,
  hangingEvidence,
  hangingWords,
  isSilent,
  type Judged,
  judged,
  seconds,
  slotsOfWorker,
  usualWords,
  type WorkerContext,
} from './worker-evidence.js';

/** Jobs have waited so long, and a free worker has started none. */
const DEAF_MS = 4_000;
/** Without the agent it is seen less well: longer, to be sure. */
const DEAF_OUTSIDE_MS = 15_000;
const SLOW_DRAIN_SECONDS = 60;
const JUST_ATTACHED_MS = 5_000;

type Rule = (worker: SeenWorker, agent: AgentFacts, context: WorkerContext) => Judged | null;

/**
 * The ladder, first rule that holds. A rule stands above those whose signs it would cause as well.
 */
const LADDER: readonly Rule[] = [
  // 1. Who can't hear must not judge: a deaf console would call every worker crashed.
  whenConsoleCantTell,
  // 2. No beat, no farewell, no connection. Above everything that the last beat said: it is not so any more.
  whenCrashed,
  // 3. There, and without a beat: the process hangs. Its last beat says nothing about now either.
  whenFrozen,
  // 4. On purpose; above stuck and silent, which it would look like.
  whenLeaving,
  // 5. A full Redis refuses it: above silent and stuck, as it explains both.
  whenBlocked,
  // 6. Jobs that never end. Above capped and overloaded: all slots busy is a sign of it.
  whenStuck,
  // 7. Held back by a limit that somebody set.
  whenRateLimited,
  whenCapped,
  // 8. Free, and deaf to jobs that wait. Below every reason for which it might rightly start none.
  whenSilent,
  // 9. It does what it can.
  whenOverloaded,
];

/** What a worker's state comes down to, with the reason. Pure. */
export function judgeWorker(worker: SeenWorker, context: WorkerContext): Judged {
  const { agent } = worker;
  if (!agent) return judgeFromOutside(worker, context);
  for (const rule of LADDER) {
    const judged = rule(worker, agent, context);
    if (judged) return judged;
  }
  return judged(
    'healthy',
    agent.running > 0
      ? `${slotsOfWorker(agent)} busy, ${formatRate(agent.finishedPerSecond)} done${hangingWords(agent, context.queue, context.nowMs)}.`
      : 'Nothing to do.',
    [...flow(agent), ...hangingEvidence(agent, context.queue, context.nowMs)],
  );
}

function whenConsoleCantTell(worker: SeenWorker, agent: AgentFacts, context: WorkerContext): Judged | null {
  const { snapshot } = context;
  if (snapshot.self?.isStarved)
    return judged(
      'unknown',
      `The console’s own host (${snapshot.self.host}) gives it too little CPU to tell: what looks silent may only not have been read yet.`,
      [],
    );
  const isSomeUnread = (snapshot.hearing.overflow?.messages ?? 0) > 0;
  // That its connections are closed is so whatever was not read.
  if (isSomeUnread && worker.isConnected !== false && isSilent(agent, context))
    return judged(
      'unknown',
      'More is said on the channels of agents than the console reads: its heartbeats may be among what was not read.',
      [],
    );
  if (snapshot.link.status === 'live' && snapshot.hearing.status === 'hearing') return null;
  return judged(
    'unknown',
    'The console does not hear agents now: what it said last may not be so any more.',
    [],
  );
}

function whenCrashed(worker: SeenWorker, agent: AgentFacts, context: WorkerContext): Judged | null {
  if (!isSilent(agent, context) || worker.isConnected !== false) return null;
  const { locks } = worker;
  const jobs = locks === null ? agent.running : locks.held + locks.orphaned;
  const then =
    jobs === 0
      ? 'It had no job in hand that is still open.'
      : `${jobs === 1 ? '1 job' : formatJobs(jobs)} that it had in hand ${jobs === 1 ? 'stalls' : 'stall'}${expiry(worker, context.nowMs)}; the next check of a live worker puts ${jobs === 1 ? 'it' : 'them'} back, at most 30 s later by default.`;
  const { replacedBy } = worker;
  const successor = replacedBy ? ` ${replacedBy.label} has taken its place.` : '';
  const seen = `No heartbeat since ${ago(agent.lastBeatAtMs, context)}, no farewell, and its connections to Redis are closed: its process has ended, or no longer reaches Redis.`;
  return judged('crashed', `${seen}${successor} ${then}`, [
    fact('last-heard', 'last heard', seconds(context.nowMs - agent.lastBeatAtMs), 'seconds'),
    fact('active', 'active', jobs, 'jobs'),
    ...(locks === null ? [] : [fact('locks', 'locks held', locks.held, 'count')]),
  ]);
}

function whenFrozen(worker: SeenWorker, agent: AgentFacts, context: WorkerContext): Judged | null {
  if (!isSilent(agent, context)) return null;
  // Where CLIENT LIST can't be read, gone and frozen look alike.
  const what =
    worker.isConnected === true
      ? 'though its process is still connected to Redis: it is stopped, or its event loop is blocked or overloaded'
      : 'and whether it is still connected to Redis is not known: its process is gone, stopped, blocked or overloaded';
  return judged(
    'stuck',
    `No heartbeat since ${ago(agent.lastBeatAtMs, context)}, ${what}; ${formatJobs(agent.running)} in hand.`,
    [
      fact('last-heard', 'last heard', seconds(context.nowMs - agent.lastBeatAtMs), 'seconds'),
      fact('loop-delay', 'event-loop lag', agent.loopDelayMaxMs / 1000, 'seconds'),
      fact('active', 'active', agent.running, 'jobs'),
    ],
  );
}

function whenLeaving(_worker: SeenWorker, agent: AgentFacts, context: WorkerContext): Judged | null {
  if (agent.isClosing)
    return judged(
      'draining',
      `It is closing and finishes ${formatJobs(agent.running)}${hangingWords(agent, context.queue, context.nowMs)}.`,
      flow(agent),
    );
  if (agent.paused !== 'order' && agent.paused !== 'application') return null;
  const order = agent.overrides.find(({ setting, isFollowed }) => setting === 'paused' && isFollowed);
  const by =
    agent.paused === 'application'
      ? 'by its application'
      : order
        ? `by ${order.by}: ${order.reason || 'no reason given'}`
        : 'by an order';
  return agent.running > 0
    ? judged(
        'draining',
        `Paused ${by}; it finishes ${formatJobs(agent.running)}${hangingWords(agent, context.queue, context.nowMs)}.`,
        flow(agent),
      )
    : judged('paused', `Paused ${by}.`, flow(agent));
}

function whenBlocked(_worker: SeenWorker, agent: AgentFacts, { snapshot }: WorkerContext): Judged | null {
  const isFull = snapshot.nodes.some((node) => node.isFull);
  const isRefused = agent.errorsPerSecond.oom > 0 && isFull;
  if (agent.guard.sinceMs === null && !isRefused) return null;
  const still = agent.running > 0 ? `; ${formatJobs(agent.running)} in hand go on` : '';
  const guard =
    agent.guard.sinceMs === null
      ? ''
      : ' The agent holds it back so that it does not spin, and lets it go as soon as there is room.';
  return judged('blocked', `Redis is full and refuses it new jobs${still}.${guard}`, [
    fact('refused-rate', 'refused', agent.errorsPerSecond.oom, 'count/s'),
    ...flow(agent),
  ]);
}

function whenStuck(_worker: SeenWorker, agent: AgentFacts, { queue, nowMs }: WorkerContext): Judged | null {
  const hanging = hangingJobs(agent, queue, nowMs);
  const [oldest] = hanging;
  if (!oldest) return null;
  const graceMs = graceMsOf(agent, queue, oldest.type);
  const quietMs = nowMs - Math.max(agent.lastFinishedAtMs ?? 0, agent.attachedAtMs);
  // Some slots hang while others finish: it works, with fewer slots; that is evidence and not this verdict.
  if (quietMs <= Math.min(graceMs, UNKNOWN_GRACE_MS)) return null;
  return judged(
    'stuck',
    `${formatJobs(agent.running)} in hand and none has finished for ${formatDuration(quietMs / 1000)}: ${oldest.type} ${oldest.jobId} runs for ${formatDuration((nowMs - oldest.startedAtMs) / 1000)}${usualWords(agent, oldest.type)}.`,
    [
      ...hangingEvidence(agent, queue, nowMs),
      fact('unfinished-for', 'no completions for', seconds(quietMs), 'seconds'),
      ...flow(agent),
    ],
  );
}

function whenRateLimited(_worker: SeenWorker, agent: AgentFacts, { queue }: WorkerContext): Judged | null {
  if (!agent.isRateLimited || (queue?.backlog ?? 0) === 0) return null;
  return judged('rate-limited', 'A rate limit keeps it from taking the next job.', flow(agent));
}

function whenCapped(_worker: SeenWorker, agent: AgentFacts, { queue }: WorkerContext): Judged | null {
  if (!queue || queue.concurrency === null || queue.backlog === 0) return null;
  if (agent.running >= agent.concurrency.now || queue.counts.active < queue.concurrency) return null;
  return judged(
    'capped',
    queue.concurrency === 0
      ? 'Its queue is paused.'
      : `It has free slots, but the queue’s global concurrency of ${formatCount(queue.concurrency)} is used up.`,
    flow(agent),
  );
}

function whenSilent(
  worker: SeenWorker,
  agent: AgentFacts,
  { queue, snapshot, nowMs }: WorkerContext,
): Judged | null {
  if (queue?.flow !== 'running' || queue.backlogSinceMs === null || agent.running > 0) return null;
  if (snapshot.nodes.some((node) => node.isFull) || nowMs - agent.attachedAtMs < JUST_ATTACHED_MS)
    return null;
  if (queue.rateLimit !== null || queue.rateLimitedForMs > 0) return null;
  const sinceMs = Math.max(
    queue.backlogSinceMs,
    agent.lastStartedAtMs ?? 0,
    agent.lastFinishedAtMs ?? 0,
    worker.firstSeenAtMs,
  );
  // Jobs that come one by one to many idle workers go to whoever is first: there must be one that nobody has taken.
  if (queue.oldestWaitingAtMs === null || nowMs - queue.oldestWaitingAtMs < DEAF_MS) return null;
  // Both must be fresh: a queue that is read seldom may have been empty in between.
  if (nowMs - sinceMs < DEAF_MS || nowMs - queue.readAtMs > 2_500) return null;
  return judged(
    'silent',
    `Connected and free, but it has started nothing for ${formatDuration((nowMs - sinceMs) / 1000)} while ${formatJobs(queue.backlog)} wait: it does not hear of them.`,
    [
      fact('waiting', 'waiting', queue.backlog, 'jobs'),
      fact('idle-for', 'idle for', seconds(nowMs - sinceMs), 'seconds'),
      ...flow(agent),
    ],
  );
}

function whenOverloaded(
  _worker: SeenWorker,
  agent: AgentFacts,
  { queue, nowMs }: WorkerContext,
): Judged | null {
  if (!queue || agent.running < agent.concurrency.now || agent.finishedPerSecond <= 0) return null;
  const isSlow = queue.drainSeconds !== null && queue.drainSeconds > SLOW_DRAIN_SECONDS;
  const waitedMs = queue.backlogSinceMs === null ? 0 : nowMs - queue.backlogSinceMs;
  if (queue.backlog <= agent.concurrency.now || waitedMs < 3_000) return null;
  if (queue.rates?.isGrowing !== true && !isSlow) return null;
  const why = queue.rates?.isGrowing
    ? 'the queue grows'
    : Number.isFinite(queue.drainSeconds)
      ? `the queue needs ${formatDuration(rowSeconds(queue.drainSeconds ?? 0))} to drain`
      : 'the queue never drains at these rates';
  return judged(
    'overloaded',
    `All ${formatCount(agent.concurrency.now)} slots are busy and finishing ${formatRate(agent.finishedPerSecond)}, and ${why}: it can’t do more as it is${hangingWords(agent, queue, nowMs)}.`,
    [...flow(agent), fact('waiting', 'waiting', queue.backlog, 'jobs')],
  );
}

/** As far as CLIENT LIST and the active list allow. */
function judgeFromOutside(worker: SeenWorker, { queue, snapshot, nowMs }: WorkerContext): Judged {
  const blind = 'No agent is attached, so its slots, its jobs and its errors can’t be seen';
  if (snapshot.link.status !== 'live') return judged('unknown', `Redis can’t be read now. ${blind}.`, []);
  if (queue && worker.idleSeconds !== null && queue.flow === 'running' && queue.backlogSinceMs !== null) {
    const sinceMs = Math.max(queue.backlogSinceMs, worker.firstSeenAtMs);
    const isFree = queue.counts.active === 0 && queue.rateLimit === null && queue.rateLimitedForMs === 0;
    const isFull = snapshot.nodes.some((node) => node.isFull);
    if (isFree && !isFull && nowMs - sinceMs >= DEAF_OUTSIDE_MS && nowMs - queue.readAtMs < 2_500)
      return judged(
        'silent',
        `It waits for jobs while ${formatJobs(queue.backlog)} wait and none runs, for ${formatDuration((nowMs - sinceMs) / 1000)}: it does not hear of them.`,
        [fact('waiting', 'waiting', queue.backlog, 'jobs')],
      );
  }
  const doing = worker.idleSeconds === null ? 'Connected.' : 'Connected, and waiting for jobs.';
  return judged('unknown', `${doing} ${blind}.`, []);
}
