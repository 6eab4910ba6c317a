import type { FC } from 'hono/jsx';
import type { Snapshot } from '../server/model/snapshot.js';
import type { WorkerState } from '../server/model/worker.js';
import { type Chrome, Layout } from './layout.js';
import { Timeline, type TimelineProps } from './timeline.js';
import { WorkerHead } from './worker-head.js';
import { WorkerJobs } from './worker-jobs.js';
import { WorkerRunTimes } from './worker-run-times.js';
import { type WorkerCourse, WorkerTrends } from './worker-trends.js';
import { heardNow } from './worker-words.js';

interface WorkerNowProps {
  /** null: it is not known any more; it left, or was dismissed. */
  readonly worker: WorkerState | null;
  readonly snapshot: Snapshot;
  /** How it went; null: no agent tells of it. */
  readonly course: WorkerCourse | null;
  readonly canAct: boolean;
}

interface WorkerPageProps extends WorkerNowProps {
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
export const WorkerNow: FC<WorkerNowProps> = ({ worker, snapshot, course, canAct }) => {
  if (worker === null)
    return (
      <div id="worker-now" class="worker-now">
        <p class="panel">It has left: neither Redis nor an agent shows it any more.</p>
      </div>
    );
  const heard = heardNow(worker, snapshot.atMs);
  return (
    <div id="worker-now" class="worker-now">
      <WorkerHead worker={worker} snapshot={snapshot} canAct={canAct} />
      {worker.agent === null ? (
        <p class="hint">
          Without the agent no slots, jobs or run times are known. Add to the worker:{' '}
          <code>attach(worker)</code> from <code>spillway-agent</code>.
        </p>
      ) : (
        <>
          <WorkerTrends
            course={course}
            slots={worker.agent.concurrency.now}
            nowMs={worker.agent.lastBeatAtMs}
          />
          <WorkerJobs worker={worker} agent={worker.agent} snapshot={snapshot} isNow={heard !== null} />
          <WorkerRunTimes worker={worker} agent={worker.agent} snapshot={snapshot} />
        </>
      )}
    </div>
  );
};
