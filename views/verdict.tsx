import type { FC } from 'hono/jsx';
import { formatDuration, formatJobs, formatThings } from '../server/model/format.js';
import { type State, StateIcon } from './state.js';

/** The last trouble, and that it is over. */
export interface ResolvedProps {
  readonly headline: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Most that waited meanwhile; null: not known. */
  readonly peakJobs: number | null;
  /** What was done from here, since it began. */
  readonly actions: number;
  /** Of the trouble, in the timeline. */
  readonly episodeId: string;
}

export interface VerdictProps {
  readonly state: State;
  /** The worst; read out when it changes. */
  readonly text: string;
  /** How many problems there are: seen in place of the worst, whose headline stands below; empty: none are. */
  readonly counts: string;
  readonly detail: string;
  /** Where it is marked as an incident; absent: nothing critical, or the role may not. */
  readonly incidentHref?: string;
  /** Said in place of "all clear" while it is news; null or absent: nothing was wrong lately. */
  readonly resolved?: (ResolvedProps & { readonly inForce: number; readonly mayWrite: boolean }) | null;
}

/** The answer to "what is wrong", in one line. The only thing on the page that is read out when it changes. */
export const VerdictLine: FC<VerdictProps> = ({
  state,
  text,
  counts,
  detail,
  incidentHref,
  resolved = null,
}) => (
  <div id="verdict" class={`verdict state-${state}${resolved ? ' is-resolved' : ''}`}>
    <h1 id="verdict-text" aria-live="polite" aria-atomic="true">
      <StateIcon state={state} /> {counts}
      <span class={counts === '' ? undefined : 'visually-hidden'}>
        {counts === '' ? '' : ': '}
        {resolved ? resolvedInWords(resolved) : text}
      </span>
    </h1>
    {resolved ? <Resolved {...resolved} still={text} /> : null}
    <p class="verdict-detail">
      {incidentHref ? (
        <a class="small-button" href={incidentHref}>
          Declare incident
        </a>
      ) : null}{' '}
      <span class="verdict-numbers">{detail}</span>
    </p>
  </div>
);

/** "Resolved after 2 min 49 s: Redis is full" */
function resolvedInWords({ fromMs, toMs, headline }: ResolvedProps): string {
  return `Resolved after ${formatDuration((toMs - fromMs) / 1000)}: ${headline}`;
}

const Resolved: FC<NonNullable<VerdictProps['resolved']> & { readonly still: string }> = (resolved) => {
  const { peakJobs, actions, inForce, mayWrite, episodeId, still } = resolved;
  const entries = new URLSearchParams([
    ['entry', episodeId],
    ['entry', `${episodeId}-end`],
  ]);
  return (
    <p class="verdict-resolved">
      {still}
      {peakJobs === null ? '' : ` · peak ${formatJobs(peakJobs)} waiting`}
      {` · ${formatThings(actions, 'action')}`}
      {inForce === 0 ? ' · nothing still in force' : null}
      {inForce > 0 ? (
        <>
          {' · '}
          <a href="#in-force">still in force: {inForce}</a>
        </>
      ) : null}
      {mayWrite ? (
        <a class="small-button" href={`/incidents/new?${entries}`}>
          Write it up
        </a>
      ) : null}
    </p>
  );
};
