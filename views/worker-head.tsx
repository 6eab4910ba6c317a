import type { FC } from 'hono/jsx';
import { formatBytes, formatCount, formatRunTime } from '../server/model/format.js';
import type { Snapshot } from '../server/model/snapshot.js';
import { plainName } from '../server/model/words.js';
import type { AgentFacts, WorkerState } from '../server/model/worker.js';
import { Icon } from './icon.js';
import { actionPath } from './links.js';
import { type Fact, Facts } from './state.js';
import { Time } from './time.js';
import { moment, rateNumber, UNKNOWN } from './words.js';
import { actsOf, lagOf } from './worker-row.js';
import { WorkerSlots } from './worker-slots.js';
import { heardNow, orderInWords, processOf, queueOfWorker, workerWordsOf } from './worker-words.js';

export interface WorkerHeadProps {
  readonly worker: WorkerState;
  readonly snapshot: Snapshot;
  readonly canAct: boolean;
}

/** What a worker is and why, its slots, what can be done with it and what is set for it. */
export const WorkerHead: FC<WorkerHeadProps> = ({ worker, snapshot, canAct }) => {
  const { agent } = worker;
  const { instance, atMs } = snapshot;
  const words = workerWordsOf(worker);
  const heard = heardNow(worker, atMs);
  const acts = canAct ? actsOf(worker) : [];
  const where = processOf(worker);
  return (
    <section class={`panel queue-head state-${words.state}`} aria-label={`Worker ${worker.label}`}>
      <h1 class="queue-title">
        {plainName(worker.label)} <span class="muted">{where}</span>
      </h1>
      <p class={`queue-verdict state-word state-${words.state}`}>
        <Icon name={words.icon} /> {words.word}{' '}
        <span class="muted">
          since <Time {...moment(worker.verdictSinceMs, atMs)} />
        </span>
      </p>
      <WorkerSlots worker={worker} queue={queueOfWorker(worker, snapshot)} nowMs={atMs} perRow={30} />
      <p>{worker.sentence}</p>
      {worker.outlier ? <p class="state-word state-warning">{worker.outlier.sentence}</p> : null}
      <Facts facts={factsOf(worker, heard)} />
      {acts.length > 0 ? (
        <p class="action-row">
          {acts.map(({ action, label }) => (
            <a
              class="button"
              href={actionPath({ action, instance, workers: [worker.id] })}
              data-drawer=""
              aria-label={`${label} ${worker.label}`}
            >
              {label}
            </a>
          ))}
        </p>
      ) : null}
      {agent ? <Overrides agent={agent} nowMs={atMs} /> : null}
      {canAct && worker.pid !== null && worker.verdict !== 'crashed' ? (
        <p class="muted">
          Restart by hand: <code class="to-copy">kill {worker.pid}</code>
          {worker.host === null ? '' : ` on ${plainName(worker.host)}`}
        </p>
      ) : null}
      <details>
        <summary>Versions and labels</summary>
        <Facts facts={aboutFacts(worker)} />
      </details>
    </section>
  );
};

function factsOf({ agent }: WorkerState, heard: AgentFacts | null): readonly Fact[] {
  if (agent === null) return [];
  const { now, deployed } = agent.concurrency;
  const slots = `${heard === null ? UNKNOWN : formatCount(heard.running)} of ${formatCount(now)}`;
  return [
    {
      label: 'Slots busy',
      value: deployed === now ? slots : `${slots}, configured ${formatCount(deployed)}`,
    },
    { label: 'Done /s', value: rateNumber(heard?.finishedPerSecond) },
    {
      label: 'Failed /s',
      value: rateNumber(heard?.failedPerSecond),
      ...(heard && heard.failedPerSecond >= 0.05 ? { state: 'critical' as const } : {}),
    },
    {
      label: 'Wait time',
      value: heard?.wait ? formatRunTime(heard.wait.p50Ms) : UNKNOWN,
      hint: 'Median time that jobs waited before it started them',
    },
    {
      label: 'Loop lag',
      value: heard ? lagOf(heard) : UNKNOWN,
      hint: '99th percentile of how late its event loop is',
    },
  ];
}

const MB = 1024 * 1024;

function aboutFacts({ agent, queueId, firstSeenAtMs, lastSeenAtMs }: WorkerState): readonly Fact[] {
  const seen = [
    { label: 'Queue', value: plainName(queueId) },
    { label: 'Known since', value: moment(firstSeenAtMs, lastSeenAtMs).text },
  ];
  if (agent === null) return seen;
  return [
    ...seen,
    { label: 'BullMQ', value: agent.bullmqVersion ?? UNKNOWN },
    { label: 'Node.js', value: plainName(agent.nodeVersion) },
    { label: 'Agent', value: plainName(agent.agentVersion) },
    {
      label: 'Memory',
      // By the megabyte it would change every second and say no more.
      value:
        agent.rssBytes === null ? UNKNOWN : formatBytes(Math.round(agent.rssBytes / (10 * MB)) * 10 * MB),
    },
    ...Object.entries(agent.labels).map(([key, value]) => ({
      label: plainName(key),
      value: plainName(value),
    })),
  ];
}

const Overrides: FC<{ readonly agent: AgentFacts; readonly nowMs: number }> = ({ agent, nowMs }) =>
  agent.overrides.length === 0 ? null : (
    <ul class="fleet-orders" aria-label="Overrides in force">
      {agent.overrides.map((order) => (
        <li>
          {orderInWords(order, nowMs)}
          {order.scope === '*' ? ' (all workers of the queue)' : ''}
          {order.refusal === null ? '' : ` — not followed: ${plainName(order.refusal)}`}
        </li>
      ))}
    </ul>
  );
