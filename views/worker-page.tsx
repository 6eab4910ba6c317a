import type { FC } from 'hono/jsx';
import { formatBytes, formatCount, formatRunTime, formatThings } from '../server/model/format.js';
import { hangingJobs } from '../server/model/hanging.js';
import type { QueueState, Snapshot } from '../server/model/snapshot.js';
import { plainName } from '../server/model/words.js';
import type { AgentFacts, WorkerState } from '../server/model/worker.js';
import { Curve } from './drawn/curve.js';
import { evenly } from './drawn/geometry.js';
import { Strip } from './drawn/strip.js';
import { Icon } from './icon.js';
import { type Chrome, Layout } from './layout.js';
import { actionPath, jobPath, jobTypePath } from './links.js';
import { type Fact, Facts } from './state.js';
import { Time } from './time.js';
import { Timeline, type TimelineProps } from './timeline.js';
import { coarseAge, moment, rateNumber, UNKNOWN } from './words.js';
import { amongPeers } from './worker-peers.js';
import { actsOf, lagOf } from './worker-row.js';
import { WorkerSlots } from './worker-slots.js';
import { heardNow, orderInWords, processOf, workerWordsOf } from './worker-words.js';

export interface WorkerNowProps {
  /** null: it is not known any more; it left, or was dismissed. */
  readonly worker: WorkerState | null;
  readonly snapshot: Snapshot;
  readonly canAct: boolean;
}

export interface WorkerPageProps extends WorkerNowProps {
  readonly chrome: Chrome;
  readonly timeline: TimelineProps;
}

/** One worker: what it is and why, what it has in hand, what is set for it, and what happened to it. */
export const WorkerPage: FC<WorkerPageProps> = ({ chrome, timeline, ...now }) => (
  <Layout chrome={chrome}>
    <WorkerNow {...now} />
    <Timeline {...timeline} />
  </Layout>
);

/** All of its page that changes. */
export const WorkerNow: FC<WorkerNowProps> = ({ worker, snapshot, canAct }) => {
  if (worker === null)
    return (
      <div id="worker-now" class="worker-now">
        <p class="panel">It has left: neither Redis nor an agent tells of it any more.</p>
      </div>
    );
  const heard = heardNow(worker, snapshot.atMs);
  return (
    <div id="worker-now" class="worker-now">
      <Head worker={worker} snapshot={snapshot} canAct={canAct} />
      {worker.agent === null ? (
        <p class="hint">
          Without the agent no slots, jobs or run times are known. Add to the worker:{' '}
          <code>attach(worker)</code> from <code>spillway-agent</code>.
        </p>
      ) : (
        <>
          <Trends agent={worker.agent} nowMs={worker.agent.lastBeatAtMs} />
          <ActiveJobs worker={worker} agent={worker.agent} snapshot={snapshot} isNow={heard !== null} />
          <JobTypesOf worker={worker} agent={worker.agent} snapshot={snapshot} />
        </>
      )}
    </div>
  );
};

const Head: FC<WorkerNowProps & { readonly worker: WorkerState }> = ({ worker, snapshot, canAct }) => {
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
      <WorkerSlots worker={worker} queue={queueOf(worker, snapshot)} nowMs={atMs} perRow={30} />
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

function queueOf({ queueId }: WorkerState, { queues }: Snapshot): QueueState | null {
  return queues.find(({ id }) => id === queueId) ?? null;
}

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

const SECOND_MS = 1_000;

/** What it did in the last minute, as far as it was heard: history keeps no more of one worker. */
const Trends: FC<{ readonly agent: AgentFacts; readonly nowMs: number }> = ({ agent, nowMs }) => {
  const length = Math.max(agent.finishedTrend.length, agent.runningTrend.length);
  if (length < 2) return null;
  const span = { fromMs: nowMs - (length - 1) * SECOND_MS, toMs: nowMs };
  return (
    <div class="charts">
      <figure class="chart">
        <figcaption>
          <span class="chart-title">Slots busy, last minute</span>
        </figcaption>
        <Curve
          title="Slots busy"
          unit="count"
          points={evenly(agent.runningTrend, span)}
          span={span}
          size="small"
          limit={{ value: agent.concurrency.now, label: 'slots' }}
        />
      </figure>
      <figure class="chart">
        <figcaption>
          <span class="chart-title">Jobs finished per second, last minute</span>
        </figcaption>
        <Curve
          title="Jobs finished per second"
          unit="jobs/s"
          points={evenly(agent.finishedTrend, span)}
          span={span}
          size="small"
        />
      </figure>
    </div>
  );
};

/** What it has in hand, longest first. */
const ActiveJobs: FC<{
  readonly worker: WorkerState;
  readonly agent: AgentFacts;
  readonly snapshot: Snapshot;
  readonly isNow: boolean;
}> = ({ worker, agent, snapshot, isNow }) => {
  const { instance, atMs } = snapshot;
  const hanging = new Set(hangingJobs(agent, queueOf(worker, snapshot), atMs));
  const beyond = agent.running - agent.oldest.length;
  return (
    <section class="jobs" aria-labelledby="active-title">
      <h2 id="active-title">{isNow ? 'Active jobs' : 'Jobs it had when it was last heard'}</h2>
      {agent.oldest.length === 0 ? (
        <p class="muted">None.</p>
      ) : (
        <table class="job-table">
          <thead>
            <tr>
              <th scope="col">Id</th>
              <th scope="col">Type</th>
              <th scope="col" class="number">
                Runs for
              </th>
            </tr>
          </thead>
          <tbody>
            {agent.oldest.map((job) => (
              <tr>
                <th scope="row" data-label="Id">
                  <a href={jobPath(instance, worker.queueId, job.jobId)}>{plainName(job.jobId)}</a>
                </th>
                <td data-label="Type">
                  <a href={jobTypePath(instance, worker.queueId, job.type)}>{plainName(job.type)}</a>
                </td>
                <td class="number" data-label="Runs for">
                  {coarseAge((atMs - job.startedAtMs) / 1000)}
                  {hanging.has(job) ? (
                    <span class="detail state-word state-critical">
                      <Icon name="stuck" /> hung
                    </span>
                  ) : null}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {beyond > 0 ? <p class="muted">{formatThings(beyond, 'more job')}, younger.</p> : null}
    </section>
  );
};

const MAX_TYPES = 12;

/** How long its runs take, by job type, beside those of its peers. */
const JobTypesOf: FC<{
  readonly worker: WorkerState;
  readonly agent: AgentFacts;
  readonly snapshot: Snapshot;
}> = ({ worker, agent, snapshot }) => {
  const types = agent.types.slice(0, MAX_TYPES);
  if (types.length === 0) return null;
  const peers = amongPeers(snapshot.workers.filter(({ queueId }) => queueId === worker.queueId)).get(
    worker.id,
  );
  return (
    <section class="jobs" aria-labelledby="worker-types-title">
      <h2 id="worker-types-title">Run times, last minutes</h2>
      <table class="job-table">
        <thead>
          <tr>
            <th scope="col">Type</th>
            <th scope="col" class="number">
              Completed
            </th>
            <th scope="col" class="number">
              Failed
            </th>
            <th scope="col" class="number">
              Median
            </th>
            <th scope="col" class="number">
              p99
            </th>
            <th scope="col">Beside its peers</th>
          </tr>
        </thead>
        <tbody>
          {types.map((type) => (
            <tr>
              <th scope="row" data-label="Type">
                <a href={jobTypePath(snapshot.instance, worker.queueId, type.name)}>{plainName(type.name)}</a>
              </th>
              <td class="number" data-label="Completed">
                {formatCount(type.completed)}
              </td>
              <td class="number" data-label="Failed">
                {formatCount(type.failed)}
              </td>
              <td class="number" data-label="Median">
                {type.run ? formatRunTime(type.run.p50Ms) : UNKNOWN}
              </td>
              <td class="number" data-label="p99">
                {type.run ? formatRunTime(type.run.p99Ms) : UNKNOWN}
              </td>
              <td data-label="Beside its peers">
                {peers?.type === type.name ? (
                  <Strip
                    title={`Run time of ${worker.label}, ${type.name}`}
                    ownMs={peers.ownMs}
                    peersMs={peers.peersMs}
                    isOutlier={worker.outlier?.kind === 'slow'}
                  />
                ) : (
                  UNKNOWN
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
};
