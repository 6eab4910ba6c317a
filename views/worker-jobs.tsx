import type { FC } from 'hono/jsx';
import { formatThings } from '../server/model/format.js';
import { hangingJobs } from '../server/model/hanging.js';
import type { Snapshot } from '../server/model/snapshot.js';
import { plainName } from '../server/model/words.js';
import type { AgentFacts, WorkerState } from '../server/model/worker.js';
import { NumberHeading } from './controls.js';
import { Icon } from './icon.js';
import { jobPath, jobTypePath } from './links.js';
import { coarseAge } from './words.js';
import { queueOfWorker } from './worker-words.js';

/** What it has in hand, longest first. */
export const WorkerJobs: FC<{
  readonly worker: WorkerState;
  readonly agent: AgentFacts;
  readonly snapshot: Snapshot;
  readonly isNow: boolean;
}> = ({ worker, agent, snapshot, isNow }) => {
  const { instance, atMs } = snapshot;
  const hanging = new Set(hangingJobs(agent, queueOfWorker(worker, snapshot), atMs));
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
              <NumberHeading label="Runs for" />
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
