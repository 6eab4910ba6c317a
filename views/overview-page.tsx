import type { FC } from 'hono/jsx';
import { FiringLine } from './alert-count.js';
import { Band, type BandProps } from './band.js';
import { FindingList, type FindingListProps } from './finding.js';
import { InForce, type InForceProps } from './in-force.js';
import { type Chrome, Layout } from './layout.js';
import { QueueTable, type QueueTableProps } from './queue-table.js';
import { ReplayScope, type ReplayScopeProps } from './replay-scope.js';
import { PauseAll, type PauseAllProps } from './replay-summary.js';
import { ReplayTold, type ToldProps } from './replay-told.js';
import { Verdict, type VerdictProps } from './verdict.js';
import { Watched, type WatchedProps } from './watched.js';

export interface OverviewProps {
  readonly verdict: VerdictProps;
  readonly bands: readonly BandProps[];
  /** What came of the order to all replays that led here; null: there was none. */
  readonly told: ToldProps | null;
  readonly firing: string;
  readonly replays: PauseAllProps;
  /** null: this role may not. */
  readonly replayScope: ReplayScopeProps | null;
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
    <Verdict {...view.verdict} />
    {view.told ? <ReplayTold {...view.told} /> : null}
    <div class="replays-control">
      <PauseAll {...view.replays} />
      {view.replayScope ? <ReplayScope {...view.replayScope} /> : null}
    </div>
    <div class="overview-now">
      <section class="findings-section" aria-labelledby="findings-title">
        <div class="section-head">
          <h2 id="findings-title">Problems</h2>
          <p class="order-held" data-held="findings" hidden>
            <span data-held-text="">Order held while you are here</span>
            <button type="button" class="small-button" data-release="">
              Show now
            </button>
          </p>
        </div>
        <FindingList {...view.findings} />
        <Watched {...view.watched} />
      </section>
      <div class="overview-beside">
        <FiringLine text={view.firing} />
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
