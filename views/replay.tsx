import type { FC } from 'hono/jsx';
import { formatCount, formatDuration, formatRate } from '../server/model/format.js';
import { hasEnded, type ReplayView, SKIP_REASONS, type SkipReason } from '../server/model/replay.js';
import { saidBy } from '../server/model/replay-spec.js';
import { includesRole, type Role } from '../server/model/role.js';
import { plainName, plainSentence } from '../server/model/words.js';
import { Ago } from './ago.js';
import { ShareBar } from './drawn/bars.js';
import { listed } from './drawn/words.js';
import { replayPath } from './links.js';
import type { State } from './state.js';
import { elementId } from './words.js';

/** Who looks at replays, and from where. */
export interface ReplayLook {
  readonly role: Role;
  readonly nowMs: number;
  /** The page to be on after a button. */
  readonly back: string;
}

/** Shown; the API lists all. */
const MAX_SHOWN = 30;
const MAX_NAMED_QUEUES = 3;

/** Replays: each that is under way with what can be done about it, then one line for each that has ended. A live part. */
export const ReplayList: FC<{ readonly replays: readonly ReplayView[]; readonly look: ReplayLook }> = ({
  replays,
  look,
}) => {
  const live = replays.filter(({ record }) => !hasEnded(record)).slice(0, MAX_SHOWN);
  const ended = replays.filter(({ record }) => hasEnded(record)).slice(0, MAX_SHOWN);
  return (
    <section id="replays" aria-label="Replays">
      <ol class="replays">
        {live.map((view) => (
          <Running view={view} look={look} />
        ))}
      </ol>
      {replays.length === 0 ? <p class="muted">Nothing has been replayed from here yet.</p> : null}
      {ended.length > 0 ? (
        <>
          <h2>Ended</h2>
          <ol class="replays-ended">
            {ended.map((view) => (
              <Ended view={view} nowMs={look.nowMs} />
            ))}
          </ol>
        </>
      ) : null}
    </section>
  );
};

/** "Failed jobs of bull:mail and 2 more" */
export function replayTitle({ spec, queues }: ReplayView['record']): string {
  const from = `${spec.from.charAt(0).toUpperCase()}${spec.from.slice(1)}`;
  return `${from} jobs of ${listed(queues.map(plainName), MAX_NAMED_QUEUES)}`;
}

const STATES: Readonly<Record<ReplayView['record']['state'], State>> = {
  running: 'calm',
  paused: 'warning',
  done: 'calm',
  aborted: 'info',
  failed: 'critical',
};

/** How it stands; of one that the guard has stopped with the numbers for which it did. */
export function replayState({ record, account }: ReplayView): {
  readonly state: State;
  readonly word: string;
} {
  if (record.pausedBy !== 'guard') return { state: STATES[record.state], word: record.state };
  const ended = account.succeeded + account.failedAgain + account.gone;
  return {
    state: 'critical',
    word: `stopped: ${formatCount(account.failedAgain)} of ${formatCount(ended)} failed again`,
  };
}

/** Why it goes as it goes. That the guard has paused it stands before it already. */
export function reasonInWords(reason: string): string {
  const text = plainSentence(reason).replace(/^Paused by auto-throttle: /, '');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** A replay with what can be done about it; on its own page with all that is known of it. */
export const Running: FC<{
  readonly view: ReplayView;
  readonly look: ReplayLook;
  readonly isOwnPage?: boolean;
}> = ({ view, look, isOwnPage = false }) => {
  const { record, account } = view;
  const id = elementId('replay', record.id);
  const { state, word } = replayState(view);
  return (
    <li class="replay" id={id}>
      <article aria-labelledby={`${id}-title`}>
        <div class="replay-head">
          <h2 id={`${id}-title`}>
            {isOwnPage ? replayTitle(record) : <a href={replayPath(record.id)}>{replayTitle(record)}</a>}
          </h2>
          <span class={`state-word state-${state}`}>{word}</span>
          {includesRole(look.role, 'operator') && !hasEnded(record) ? (
            <Buttons view={view} id={id} back={look.back} />
          ) : null}
        </div>
        <ShareBar
          title="Requeued"
          unit="count"
          isThin
          total={account.matched}
          parts={[
            { label: 'succeeded', value: account.succeeded, tone: 'c' },
            { label: 'failed again', value: account.failedAgain, tone: 'f' },
            { label: 'ended, kept nowhere', value: account.gone, tone: 'unknown' },
            { label: 'pending', value: account.toRun, tone: 'a' },
            { label: 'skipped', value: account.skipped, tone: 'rest' },
          ]}
        />
        <p class="replay-progress">
          {progressOf(view)} <span class="muted">{paceInWords(view)}</span>
        </p>
        <details open={isOwnPage}>
          <summary>Account</summary>
          <p class="muted">
            {accountOf(view)} {skippedOf(view)} Begun <Ago atMs={record.createdAtMs} nowMs={look.nowMs} /> by{' '}
            {saidBy(plainName(record.actor), plainSentence(record.spec.reason))}.{' '}
            <a href={reportPath(record.id)}>Report</a>
          </p>
        </details>
      </article>
    </li>
  );
};

/** Why it goes as it goes; of one that the guard has stopped the numbers stand above. */
function paceInWords({ record, paceReason }: ReplayView): string {
  return record.pausedBy === 'guard' ? 'Find out why, then resume or abort it.' : reasonInWords(paceReason);
}

/** "1,200 of 3,000 · 40/s · 45 s to go · 1,100 succeeded · 12 failed again · 88 pending" */
function progressOf({ record, account, movedPerSecond, remainingSeconds }: ReplayView): string {
  const total = account.isCounted ? formatCount(account.matched) : 'a number that is being counted';
  return [
    `${formatCount(account.moved + account.skipped)} of ${total}`,
    record.state === 'running' ? formatRate(movedPerSecond) : '',
    remainingSeconds !== null && account.remaining > 0 ? `${formatDuration(remainingSeconds)} to go` : '',
    `${formatCount(account.succeeded)} succeeded`,
    account.failedAgain > 0 ? `${formatCount(account.failedAgain)} failed again` : '',
    account.gone > 0 ? `${formatCount(account.gone)} ended, kept nowhere` : '',
    account.toRun > 0 ? `${formatCount(account.toRun)} pending` : '',
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

/** "3,000 matched = 2,980 requeued + 20 skipped + 0 remaining." */
function accountOf({ account: { matched, moved, skipped, remaining, isCounted } }: ReplayView): string {
  return `${formatCount(matched)} matched${isCounted ? '' : ' so far'} = ${formatCount(moved)} requeued + ${formatCount(skipped)} skipped + ${formatCount(remaining)} remaining.`;
}

function skippedOf({ account }: ReplayView): string {
  return Object.entries(account.skippedBecause)
    .flatMap(([reason, jobs]) =>
      jobs ? [`${formatCount(jobs)} skipped: ${SKIP_REASONS[reason as SkipReason]}.`] : [],
    )
    .join(' ');
}

const Buttons: FC<{ readonly view: ReplayView; readonly id: string; readonly back: string }> = ({
  view: { record },
  id,
  back,
}) => (
  <div class="replay-buttons">
    <form method="post" action={orderPath(record.id)}>
      <input type="hidden" name="back" value={back} />
      <button
        type="submit"
        class="small-button"
        name="state"
        value={record.state === 'running' ? 'paused' : 'running'}
      >
        {record.state === 'running' ? 'Pause' : 'Resume'}
      </button>
    </form>
    <a class="small-button" href={`${replayPath(record.id)}/abort`}>
      Abort…
    </a>
    <RateForm
      id={`${id}-rate`}
      action={orderPath(record.id)}
      back={back}
      value={String(record.ratePerSecond)}
      max={20_000}
    />
  </div>
);

/** Sets how many jobs a second go at most. What is typed stays while the page goes on. */
export const RateForm: FC<{
  readonly id: string;
  readonly action: string;
  readonly back: string;
  readonly value: string;
  readonly max: number;
  readonly describedBy?: string;
}> = ({ id, action, back, value, max, describedBy }) => (
  <form method="post" action={action} class="replay-rate">
    <input type="hidden" name="back" value={back} />
    <label for={id}>Max rate, jobs/s</label>
    <input
      type="number"
      id={id}
      name="ratePerSecond"
      min="0.1"
      max={String(max)}
      step="any"
      required
      value={value}
    />
    <button type="submit" class="small-button" aria-describedby={describedBy}>
      Set
    </button>
  </form>
);

const Ended: FC<{ readonly view: ReplayView; readonly nowMs: number }> = ({ view, nowMs }) => {
  const { record, account } = view;
  const { state, word } = replayState(view);
  const again = account.failedAgain > 0 ? `, ${formatCount(account.failedAgain)} failed again` : '';
  return (
    <li class="replay" id={elementId('replay', record.id)}>
      <span class={`state-word state-${state}`}>{word}</span>{' '}
      <Ago atMs={record.endedAtMs ?? record.createdAtMs} nowMs={nowMs} />{' '}
      <strong>
        <a href={replayPath(record.id)}>{replayTitle(record)}</a>
      </strong>
      : {accountOf(view)} {skippedOf(view)} {formatCount(account.succeeded)} succeeded{again}.{' '}
      <span class="muted">{saidBy(plainName(record.actor), plainSentence(record.spec.reason))}</span>{' '}
      <a href={reportPath(record.id)}>Report</a>
    </li>
  );
};

function orderPath(id: string): string {
  return `${replayPath(id)}/order`;
}

function reportPath(id: string): string {
  return `/api/v1/replays/${encodeURIComponent(id)}/report.md`;
}
