import type { FC } from 'hono/jsx';
import { formatCount, formatRunTime } from '../server/model/format.js';
import type { Snapshot } from '../server/model/snapshot.js';
import { plainName } from '../server/model/words.js';
import type { AgentFacts, WorkerState } from '../server/model/worker.js';
import { NumberCell, NumberHeading } from './controls.js';
import { Strip } from './drawn/strip.js';
import { jobTypePath } from './links.js';
import { UNKNOWN } from './words.js';
import { amongPeers } from './worker-peers.js';

const MAX_TYPES = 12;

/** How long its runs take, by job type, beside those of its peers. */
export const WorkerRunTimes: FC<{
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
            <NumberHeading label="Completed" />
            <NumberHeading label="Failed" />
            <NumberHeading label="Median" />
            <NumberHeading label="p99" />
            <th scope="col">Beside its peers</th>
          </tr>
        </thead>
        <tbody>
          {types.map((type) => (
            <tr>
              <th scope="row" data-label="Type">
                <a href={jobTypePath(snapshot.instance, worker.queueId, type.name)}>{plainName(type.name)}</a>
              </th>
              <NumberCell label="Completed">{formatCount(type.completed)}</NumberCell>
              <NumberCell label="Failed">{formatCount(type.failed)}</NumberCell>
              <NumberCell label="Median">{type.run ? formatRunTime(type.run.p50Ms) : UNKNOWN}</NumberCell>
              <NumberCell label="p99">{type.run ? formatRunTime(type.run.p99Ms) : UNKNOWN}</NumberCell>
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
