import type { FC } from 'hono/jsx';
import { type Chrome, Layout } from './layout.js';
import { type Fact, Facts, type State } from './state.js';

export interface CanaryFormProps {
  readonly action: string;
  readonly jobType: string;
  readonly withinSeconds: number;
}

/** Asks for a canary job, and says before what it will do. */
export const CanaryForm: FC<CanaryFormProps> = ({ action, jobType, withinSeconds }) => (
  <section class="panel canary" id="canary" aria-labelledby="canary-title">
    <h2 id="canary-title">Canary job</h2>
    <p id="canary-about">
      Adds one real job to this queue, behind those that wait, with the data <code>{'{"canary": true}'}</code>
      ; waits up to {withinSeconds} s for a worker to end it, shows the time that it took, and removes it.
      Your worker runs it, so name a type whose run harms nobody.
    </p>
    <form method="post" action={action} class="canary-form">
      <label>
        Job type <input name="jobType" required maxlength={200} value={jobType} />
      </label>
      <button type="submit" class="button" aria-describedby="canary-about">
        Send canary job
      </button>
    </form>
  </section>
);

export interface CanaryProps {
  readonly title: string;
  readonly state: State;
  readonly verdict: string;
  readonly facts: readonly Fact[];
  readonly note: string;
  readonly backHref: string;
  readonly again: CanaryFormProps;
}

/** What came of a canary job. */
export const CanaryPage: FC<{ readonly chrome: Chrome; readonly view: CanaryProps }> = ({ chrome, view }) => (
  <Layout chrome={chrome}>
    <section class={`panel queue-head state-${view.state}`} aria-label="Outcome">
      <h1 class="queue-title">{view.title}</h1>
      <p class={`queue-verdict state-word state-${view.state}`} role="status">
        {view.verdict}
      </p>
      {view.facts.length > 0 ? <Facts facts={view.facts} /> : null}
      {view.note ? <p>{view.note}</p> : null}
      <p>
        <a href={view.backHref}>Back to the queue</a>
      </p>
    </section>
    <CanaryForm {...view.again} />
  </Layout>
);
