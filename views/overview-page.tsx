import type { FC } from 'hono/jsx';
import { includesRole } from '../server/model/role.js';
import { FiringLine } from './alert-count.js';
import { Band, type BandProps } from './band.js';
import { OrderHeld } from './controls.js';
import { FindingList, type FindingListProps } from './finding.js';
import { InForce, type InForceProps } from './in-force.js';
import { type Chrome, Layout } from './layout.js';
import { QueueTable, type QueueTableProps } from './queue-table.js';
import { type RecoveryProps, RecoveryStrip, replayScopes } from './recovery-strip.js';
import { type ReplayChange, ReplayReceipt } from './replay-receipt.js';
import { ReplayScope } from './replay-scope.js';
import { VerdictLine, type VerdictProps } from './verdict.js';
import { WatchedPanel, type WatchedProps } from './watched.js';

interface OverviewProps {
  readonly verdict: VerdictProps;
  readonly bands: readonly BandProps[];
  /** What came of the order to all replays that led here; null: there was none. */
  readonly receipt: ReplayChange | null;
  readonly firing: string;
  readonly recovery: RecoveryProps;
  /** Names of the configured groups of queues. */
  readonly replayGroups: readonly string[];
  /** Is there a channel, so that somebody is notified? */
  readonly hasChannel: boolean;
  readonly findings: FindingListProps;
  /** Shown where nothing is found. */
  readonly watched: WatchedProps;
  readonly inForce: InForceProps;
  readonly queues: QueueTableProps;
}

export const OverviewPage: FC<{ readonly chrome: Chrome; readonly view: OverviewProps }> = ({
  chrome,
  view,
}) => (
  <Layout chrome={chrome}>
    <VerdictLine {...view.verdict} />
    <ReplayReceipt receipt={view.receipt} />
    <div class="replays-control">
      <RecoveryStrip {...view.recovery} />
      {includesRole(view.recovery.role, 'operator') ? (
        <ReplayScope
          back="/"
          scopes={replayScopes(view.recovery.replays, view.recovery.replayQueues, view.replayGroups)}
        />
      ) : null}
    </div>
    <div class="overview-now">
      <section class="findings-section is-folded" aria-labelledby="findings-title">
        <div class="section-head">
          <h2 id="findings-title">Problems</h2>
          <OrderHeld of="findings" release="Show now" />
        </div>
        <FindingList {...view.findings} />
        <WatchedPanel {...view.watched} />
      </section>
      <div class="overview-beside">
        <FiringLine text={view.firing} hasChannel={view.hasChannel} />
        <div class="bands">
          {view.bands.map((band) => (
            <Band {...band} />
          ))}
        </div>
        <InForce {...view.inForce} />
      </div>
    </div>
    <QueueTable {...view.queues} />
  </Layout>
);
