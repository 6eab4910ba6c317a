import type { FC } from 'hono/jsx';
import type { ActivityRow } from '../server/model/activity-row.js';
import { ActivityLanes } from './activity-lanes.js';
import type { Span } from './drawn/geometry.js';
import { IncidentForm, type IncidentFormProps } from './incident-form.js';
import type { IncidentCardProps } from './incidents-page.js';
import { type Chrome, Layout } from './layout.js';
import { entryPath } from './links.js';
import { type Fact, Facts, StateIcon } from './state.js';
import { Time } from './time.js';

export interface IncidentPageProps {
  readonly card: IncidentCardProps;
  readonly affects: string;
  /** What customers may read now. */
  readonly status: string;
  /** What happened in it, for its picture. */
  readonly rows: readonly ActivityRow[];
  readonly span: Span;
  /** Bars that go on end here. */
  readonly nowMs: number;
  /** The impact in a few numbers. */
  readonly tiles: readonly Fact[];
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly findings: readonly {
    readonly headline: string;
    /** Its numbers when it was at its worst. */
    readonly worst: string;
    readonly href: string;
    readonly isOpen: boolean;
  }[];
  readonly unknown: readonly string[];
  readonly draft: string;
  readonly draftHref: string;
  readonly timelineHref: string;
  /** null: this role may not. */
  readonly form: IncidentFormProps | null;
  /** Where its buttons go; null: this role may not. */
  readonly buttons: { readonly close: string | null; readonly remove: string | null };
}

/** One incident: what customers read, what it came to, and the post-mortem as a draft. */
export const IncidentPage: FC<{ readonly chrome: Chrome; readonly view: IncidentPageProps }> = ({
  chrome,
  view,
}) => (
  <Layout chrome={chrome}>
    <IncidentHead {...view} />
    <section class="panel" aria-labelledby="status-title">
      <h2 id="status-title">Status update</h2>
      <IncidentStatus {...view} />
      {view.affects === '' ? (
        <p class="hint">Say under Edit what customers notice, and it is named here.</p>
      ) : null}
      <p>
        <button type="button" class="button" data-copy="status-text" hidden>
          Copy
        </button>
      </p>
    </section>
    <section class="panel" aria-labelledby="facts-title">
      <h2 id="facts-title">Impact</h2>
      <PostMortemFacts {...view} />
    </section>
    <section class="panel" aria-labelledby="draft-title">
      <h2 id="draft-title">Post-mortem draft</h2>
      <div class="incident-buttons">
        <button type="button" class="button" data-copy="draft-text" hidden>
          Copy the draft
        </button>
        <a class="button" href={view.draftHref} download="post-mortem.md">
          Download as Markdown
        </a>
      </div>
      {/* Long lines of people scroll, so the keyboard must reach it. */}
      <section class="incident-draft" tabindex={0} aria-label="The draft">
        <IncidentDraft {...view} />
      </section>
    </section>
    {view.form ? (
      <details class="activity-note" open={view.form.problem !== ''}>
        <summary>Edit</summary>
        <IncidentForm {...view.form} />
      </details>
    ) : null}
    {view.buttons.remove ? (
      <details class="activity-note">
        <summary>Delete this incident</summary>
        <form method="post" action={view.buttons.remove}>
          <p>Timeline and actions stay; its title, its sections and this page go.</p>
          <button type="submit" class="button is-destructive">
            Delete it
          </button>
        </form>
      </details>
    ) : null}
  </Layout>
);

/** What it is and since when; its buttons with it, as it may be closed by somebody else. */
export const IncidentHead: FC<IncidentPageProps> = (view) => (
  <section id="incident-head" class={`panel incident-head state-${view.card.state}`}>
    <h1>{view.card.title}</h1>
    <p>
      <span class="state-word">
        <StateIcon state={view.card.state} /> {view.card.stateWord}
      </span>{' '}
      <Time {...view.card.from} /> {view.card.to ? <>to {<Time {...view.card.to} />}</> : 'until now'} (
      {view.card.lasted}) <span class="muted">declared by {view.card.by}</span>
    </p>
    <div class="incident-buttons">
      <a class="button" href={view.timelineHref}>
        Its timeline
      </a>
      {view.buttons.close ? (
        <form method="post" action={view.buttons.close}>
          <button type="submit" class="button is-primary">
            Close it now
          </button>
        </form>
      ) : null}
    </div>
  </section>
);

/** What customers may read now. */
export const IncidentStatus: FC<IncidentPageProps> = (view) => (
  <p id="status-text" class="incident-status">
    {view.status}
  </p>
);

/** In numbers, findings and what is not known. */
export const PostMortemFacts: FC<IncidentPageProps> = (view) => (
  <div id="incident-account">
    <Facts facts={view.tiles} />
    {view.rows.length > 0 ? (
      <ActivityLanes
        title="What happened"
        rows={view.rows}
        span={view.span}
        nowMs={view.nowMs}
        hrefOf={entryPath}
      />
    ) : null}
    <details class="activity-note">
      <summary>All facts</summary>
      <dl class="incident-facts">
        {view.facts.map((fact) => (
          <>
            <dt>{fact.label}</dt>
            <dd>{fact.value}</dd>
          </>
        ))}
      </dl>
    </details>
    {view.findings.length > 0 ? (
      <>
        <h3>Problems</h3>
        <ul class="sentences">
          {view.findings.map((finding) => (
            <li>
              <a href={finding.href}>{finding.headline}</a> <span class="muted">{finding.worst}</span>{' '}
              {finding.isOpen ? <span class="state-word state-warning">still open</span> : null}
            </li>
          ))}
        </ul>
      </>
    ) : null}
    {view.unknown.length > 0 ? (
      <>
        <h3>Not known</h3>
        <ul class="sentences">
          {view.unknown.map((line) => (
            <li>{line}</li>
          ))}
        </ul>
      </>
    ) : null}
  </div>
);

export const IncidentDraft: FC<IncidentPageProps> = (view) => <pre id="draft-text">{view.draft}</pre>;
