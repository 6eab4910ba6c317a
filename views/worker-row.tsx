import type { FC } from 'hono/jsx';
import { formatCount, formatRunTime } from '../server/model/format.js';
import type { Snapshot } from '../server/model/snapshot.js';
import { plainName } from '../server/model/words.js';
import type { AgentFacts, WorkerState } from '../server/model/worker.js';
import { NumberCell, SettingLink } from './controls.js';
import { evenly } from './drawn/geometry.js';
import { Sparkline } from './drawn/sparkline.js';
import { Strip } from './drawn/strip.js';
import { Icon } from './icon.js';
import { actionPath, encodePart, queuePath, workerPath } from './links.js';
import { coarseAge, elementId, rateNumber, UNKNOWN } from './words.js';
import type { AmongPeers } from './worker-peers.js';
import { WorkerSlots } from './worker-slots.js';
import { heardNow, workerWordsOf } from './worker-words.js';

/** What a row of the table knows beside the worker itself. */
export interface WorkerRowProps {
  readonly worker: WorkerState;
  readonly snapshot: Snapshot;
  /** null: it has finished nothing lately. */
  readonly peers: AmongPeers | null;
  readonly canAct: boolean;
  /** Its queue is not said by what stands around the row. */
  readonly hasQueue: boolean;
  readonly hasManyInstances: boolean;
}

export function workerRowId(instance: string, worker: string): string {
  return elementId('worker', `${instance}/${worker}`);
}

/** Of the values alone: one a second, the last of now. */
const TREND = { fromMs: 0, toMs: 1 };
/** Younger than this nobody asks since when. */
const NEWS_SECONDS = 5;

/** One worker: what it is, what each of its slots does, how much it does, and how long that takes beside its peers. */
export const WorkerRow: FC<WorkerRowProps> = (row) => {
  const { worker, snapshot, peers, canAct } = row;
  const words = workerWordsOf(worker);
  const heard = heardNow(worker, snapshot.atMs);
  return (
    <tr id={workerRowId(snapshot.instance, worker.id)} class={`queue worker state-${words.state}`}>
      {canAct ? (
        <td class="cell-check">
          <label class="check">
            <input
              type="checkbox"
              name="onWorker"
              value={`${snapshot.instance}/${encodePart(worker.id)}`}
              aria-label={`Select ${worker.label}`}
            />
          </label>
        </td>
      ) : null}
      <td class="cell-state" data-label="Status">
        <span class={`state-word state-${words.state}`}>
          <Icon name={words.icon} /> {words.word}
        </span>
        <Since worker={worker} nowMs={snapshot.atMs} />
      </td>
      <NameCell {...row} />
      <SlotsCell {...row} />
      <td class="number cell-rate" data-label="Done /s">
        {heard ? (
          <Sparkline
            title="Done a second, last minute"
            unit="jobs"
            points={evenly(heard.finishedTrend, TREND)}
            span={TREND}
          />
        ) : null}
        <span class="number">{rateNumber(heard?.finishedPerSecond)}</span>
        {heard && heard.failedPerSecond >= 0.05 ? (
          <span class="detail state-critical">{rateNumber(heard.failedPerSecond)} failed</span>
        ) : null}
      </td>
      <td class="cell-strip" data-label="Run time">
        {heard && peers ? (
          <>
            <Strip
              title={`Run time of ${worker.label}, ${peers.type}`}
              ownMs={peers.ownMs}
              peersMs={peers.peersMs}
              isOutlier={worker.outlier?.kind === 'slow'}
            />
            <span
              class="number"
              title={`Median of ${plainName(peers.type)}; p99 ${formatRunTime(peers.p99Ms)}`}
            >
              {formatRunTime(peers.ownMs)}
            </span>
            {worker.outlier ? <span class="detail state-word state-critical">outlier</span> : null}
          </>
        ) : (
          UNKNOWN
        )}
      </td>
      <NumberCell label="Loop lag">{heard ? lagOf(heard) : UNKNOWN}</NumberCell>
      {canAct ? (
        <td class="cell-flow">
          <FirstAction worker={worker} instance={snapshot.instance} />
        </td>
      ) : null}
    </tr>
  );
};

/** By five milliseconds: finer it would change every second and say no more. */
export function lagOf({ loopDelayP99Ms }: AgentFacts): string {
  return `${Math.round(loopDelayP99Ms / 5) * 5} ms`;
}

const Since: FC<{ readonly worker: WorkerState; readonly nowMs: number }> = ({ worker, nowMs }) => {
  const seconds = (nowMs - worker.verdictSinceMs) / 1000;
  if (worker.verdict === 'healthy' || worker.agent === null || seconds < NEWS_SECONDS) return null;
  return <span class="detail">for {coarseAge(seconds, NEWS_SECONDS)}</span>;
};

const NameCell: FC<WorkerRowProps> = ({ worker, snapshot, hasQueue, hasManyInstances }) => {
  const { instance } = snapshot;
  const about = aboutOf(worker);
  const queue = bareName(worker.queueId);
  return (
    <th scope="row" class="cell-name">
      <a href={workerPath(instance, worker.id)}>{plainName(worker.label)}</a>
      <span class="place">
        {hasQueue ? (
          <>
            <a href={queuePath(instance, worker.queueId)}>
              {hasManyInstances ? `${instance} · ${queue}` : queue}
            </a>
            {about === '' ? '' : ' · '}
          </>
        ) : null}
        {about}
      </span>
    </th>
  );
};

/** "bull:mail" → "mail" */
export function bareName(queueId: string): string {
  return plainName(queueId.slice(queueId.lastIndexOf(':') + 1));
}

/** Host, where its name does not say it, and release; or that there is no agent to tell. */
function aboutOf({ label, host, agent, queueId }: WorkerState): string {
  const named = host === null || label.includes(host) ? '' : host;
  const labels = Object.entries(agent?.labels ?? {})
    .filter(([key, value]) => key !== 'host' && value !== bareName(queueId))
    .slice(0, 2)
    .map(([key, value]) => `${key} ${value}`);
  return [named, ...labels]
    .filter((part) => part !== '')
    .map(plainName)
    .join(' · ');
}

const SlotsCell: FC<WorkerRowProps> = ({ worker, snapshot, canAct }) => {
  const { agent, verdict } = worker;
  if (agent === null)
    return (
      <td class="cell-slots" data-label="Slots">
        {UNKNOWN}
      </td>
    );
  const { now, deployed } = agent.concurrency;
  const isGone = verdict === 'crashed';
  const queue = snapshot.queues.find(({ id }) => id === worker.queueId) ?? null;
  const heard = heardNow(worker, snapshot.atMs);
  return (
    <td class="cell-slots" data-label="Slots">
      <WorkerSlots worker={worker} queue={queue} nowMs={snapshot.atMs} />
      <SettingLink
        value={
          isGone ? UNKNOWN : `${heard === null ? UNKNOWN : formatCount(heard.running)} of ${formatCount(now)}`
        }
        label={`Change how many jobs ${worker.label} runs at once, now ${now}`}
        href={
          canAct && !isGone
            ? actionPath({ action: 'worker.concurrency', instance: snapshot.instance, workers: [worker.id] })
            : null
        }
      />
      {!isGone && deployed !== now ? <span class="detail">configured {formatCount(deployed)}</span> : null}
    </td>
  );
};

interface WorkerAct {
  readonly action: string;
  readonly label: string;
}

/** What can be done with a worker, what helps it first. */
export function actsOf({ verdict, agent, replacedBy }: WorkerState): readonly WorkerAct[] {
  if (agent === null) return [];
  if (verdict === 'crashed')
    return replacedBy === null ? [{ action: 'worker.dismiss', label: 'Dismiss' }] : [];
  const isPaused = agent.paused !== null && agent.paused !== 'guard';
  const pause = isPaused
    ? { action: 'worker.resume', label: 'Resume' }
    : { action: 'worker.pause', label: 'Pause' };
  const reconnect = { action: 'worker.reconnect', label: 'Reconnect' };
  return [
    ...(verdict === 'silent' ? [reconnect, pause] : [pause, reconnect]),
    { action: 'worker.concurrency', label: 'Concurrency' },
    { action: 'worker.limiter', label: 'Rate limiter' },
    ...(agent.overrides.some(({ scope }) => scope !== '*')
      ? [{ action: 'worker.revert', label: 'Reset to code' }]
      : []),
  ];
}

const FirstAction: FC<{ readonly worker: WorkerState; readonly instance: string }> = ({
  worker,
  instance,
}) => {
  const [first] = actsOf(worker);
  if (!first) return null;
  return (
    <a
      class="small-button"
      href={actionPath({ action: first.action, instance, workers: [worker.id] })}
      data-drawer=""
      aria-label={`${first.label} ${worker.label}`}
    >
      {first.label}
    </a>
  );
};
