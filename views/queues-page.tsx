import type { FC } from 'hono/jsx';
import { includesRole } from '../server/model/role.js';
import { type Chrome, Layout } from './layout.js';
import { QueueTable, type QueueTableProps } from './queue-table.js';
import { type RecoveryProps, RecoveryStrip, replayScopes } from './recovery-strip.js';
import { ReplayScope } from './replay-scope.js';

interface QueuesProps {
  readonly recovery: RecoveryProps;
  /** Names of the configured groups of queues. */
  readonly replayGroups: readonly string[];
  readonly queues: QueueTableProps;
}

/** All queues, and what is brought back to them. */
export const QueuesPage: FC<{ readonly chrome: Chrome; readonly view: QueuesProps }> = ({
  chrome,
  view: { recovery, replayGroups, queues },
}) => (
  <Layout chrome={chrome}>
    <h1 class="visually-hidden">All queues</h1>
    <div class="replays-control">
      <RecoveryStrip {...recovery} />
      {includesRole(recovery.role, 'operator') ? (
        <ReplayScope
          back={recovery.back}
          scopes={replayScopes(recovery.replays, recovery.replayQueues, replayGroups)}
        />
      ) : null}
    </div>
    <QueueTable {...queues} />
  </Layout>
);
