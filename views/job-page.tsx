import type { FC } from 'hono/jsx';
import { type Chrome, Layout } from './layout.js';
import { type Fact, Facts } from './state.js';

export interface Payload {
  readonly title: string;
  readonly text: string;
}

export interface JobPageProps {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly queue: { readonly name: string; readonly href: string };
  readonly facts: readonly Fact[];
  readonly actions: readonly { readonly label: string; readonly href: string }[];
  /** The form of a replay of all jobs like it; null: it has not ended, or this role may not. */
  readonly replayHref: string | null;
  /** null: this role may not see them. */
  readonly payloads: readonly Payload[] | null;
  /** Which role it takes to see them. */
  readonly dataRole: string;
  readonly note: string;
}

/** One job with what it carries. Payloads are somebody else's text: htmx leaves them alone. */
export const JobView: FC<{ readonly chrome: Chrome; readonly job: JobPageProps }> = ({ chrome, job }) => (
  <Layout chrome={chrome}>
    <section class="panel" aria-labelledby="job-title">
      <h1 id="job-title" class="queue-title">
        {job.name} <span class="muted">{job.id}</span>
      </h1>
      <p class="queue-verdict">{job.state}</p>
      <Facts facts={job.facts} />
      {job.actions.length > 0 ? (
        <p class="action-row">
          {job.actions.map((action) => (
            <a class="button" href={action.href} data-drawer="">
              {action.label}
            </a>
          ))}
          {job.replayHref === null ? null : (
            <a class="button" href={job.replayHref}>
              Replay all like it…
            </a>
          )}
        </p>
      ) : null}
    </section>
    {job.note ? <p class="muted">{job.note}</p> : null}
    {job.payloads === null ? (
      <section class="panel">
        <h2>Data, options, logs and errors are hidden</h2>
        <p>They may hold what is private. Seeing them takes the role {job.dataRole}.</p>
      </section>
    ) : (
      job.payloads.map((payload) => (
        <section class="panel payload" hx-ignore="" aria-label={payload.title}>
          <h2>{payload.title}</h2>
          <pre tabindex={0}>{payload.text}</pre>
        </section>
      ))
    )}
  </Layout>
);
