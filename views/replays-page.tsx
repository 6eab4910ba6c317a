import type { FC } from 'hono/jsx';
import { type Chrome, Layout } from './layout.js';
import { ReplayCard, type ReplayCardProps } from './replay-card.js';
import { ReplayForm, type ReplayFormProps } from './replay-form.js';
import { PauseAll, type PauseAllProps } from './replay-summary.js';

export interface ReplaysProps {
  readonly all: PauseAllProps;
  readonly replays: readonly ReplayCardProps[];
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
    <PauseAll {...view.all} />
    {view.replays.length === 0 ? (
      <p class="muted">Nothing has been replayed from here yet.</p>
    ) : (
      <ol class="replays">
        {view.replays.map((replay) => (
          <ReplayCard {...replay} />
        ))}
      </ol>
    )}
    {view.form ? <ReplayForm {...view.form} /> : null}
  </Layout>
);
