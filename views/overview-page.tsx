import type { FC } from 'hono/jsx';
import { FiringLine } from './alert-count.js';
import { Band, type BandProps } from './band.js';
import { FindingList, type FindingListProps } from './finding.js';
import { type Chrome, Layout } from './layout.js';
import { QueueTable, type QueueTableProps } from './queue-table.js';
import { ReplayScope, type ReplayScopeProps } from './replay-scope.js';
import { PauseAll, type PauseAllProps } from './replay-summary.js';
import { ReplayTold, type ToldProps } from './replay-told.js';
import { type State, StateIcon } from './state.js';

export interface VerdictProps {
  readonly state: State;
  readonly text: string;
  readonly detail: string;
  /** Where it is marked as an incident; absent: nothing critical, or the role may not. */
  readonly incidentHref?: string;
}

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
  readonly queues: QueueTableProps;
}

/** The answer to "what is wrong", in one line. The only thing on the page that is read out when it changes. */
export const Verdict: FC<VerdictProps> = ({ state, text, detail, incidentHref }) => (
  <div id="verdict" class={`verdict state-${state}`}>
    <h1 id="verdict-text" aria-live="polite" aria-atomic="true">
      <StateIcon state={state} /> {text}
    </h1>
    <p class="verdict-detail">
      {detail}
      {incidentHref ? (
        <>
          {' · '}
          <a class="page-link" href={incidentHref}>
            Mark as incident
          </a>
        </>
      ) : null}
    </p>
  </div>
);

export const OverviewPage: FC<{ readonly chrome: Chrome; readonly view: OverviewProps }> = ({
  chrome,
  view,
}) => (
  <Layout chrome={chrome}>
    <Verdict {...view.verdict} />
    <FiringLine text={view.firing} />
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
      </section>
      <div class="bands">
        {view.bands.map((band) => (
          <Band {...band} />
        ))}
      </div>
    </div>
    <QueueTable {...view.queues} />
  </Layout>
);
