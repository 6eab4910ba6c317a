import type { FC } from 'hono/jsx';
import { type Chrome, Layout } from './layout.js';
import { ParkedPart, type ParkedProps } from './parked.js';
import { ReplayCard, type ReplayCardProps } from './replay-card.js';
import { ReplayForm, type ReplayFormProps } from './replay-form.js';
import { ReplayQueues, type ReplayQueuesProps } from './replay-queues.js';
import { ReplayScope, type ReplayScopeProps } from './replay-scope.js';
import { PauseAll, type PauseAllProps } from './replay-summary.js';
import { ReplayTold, type ToldProps } from './replay-told.js';

export interface ReplaysProps {
  /** What came of the order that led here; null: there was none. */
  readonly told: ToldProps | null;
  readonly all: PauseAllProps;
  /** null: this role may not. */
  readonly scope: ReplayScopeProps | null;
  readonly queues: ReplayQueuesProps;
  readonly replays: readonly ReplayCardProps[];
  readonly parked: ParkedProps;
  /** null: this role may not. */
  readonly form: ReplayFormProps | null;
}

/** What is brought back, at which pace and why, and the form that begins another replay. */
export const ReplaysPage: FC<{ readonly chrome: Chrome; readonly view: ReplaysProps }> = ({
  chrome,
  view,
}) => (
  <Layout chrome={chrome}>
    <h1>Replays</h1>
    {view.told ? <ReplayTold {...view.told} /> : null}
    <div class="replays-control">
      <PauseAll {...view.all} />
      {view.scope ? <ReplayScope {...view.scope} /> : null}
    </div>
    <ReplayQueues {...view.queues} />
    <ol class="replays" data-list="replays">
      {view.replays.map((replay) => (
        <ReplayCard {...replay} />
      ))}
    </ol>
    <p class="muted replays-none">Nothing has been replayed from here yet.</p>
    <ParkedPart {...view.parked} />
    {view.form ? <ReplayForm {...view.form} /> : null}
  </Layout>
);
