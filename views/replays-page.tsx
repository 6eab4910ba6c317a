import type { FC } from 'hono/jsx';
import { formatJobs } from '../server/model/format.js';
import type { ReplayQueueView, ReplayView } from '../server/model/replay.js';
import { includesRole } from '../server/model/role.js';
import { type ActionProps, AuditList } from './audit-page.js';
import { type Chrome, Layout } from './layout.js';
import { replayPath } from './links.js';
import { ParkedPart, type ParkedProps, type ParkingOrder } from './parked.js';
import { RecoveryStrip, replayScopes } from './recovery-strip.js';
import { ReplayList, type ReplayLook, Running, replayTitle } from './replay.js';
import { ReplayForm, type ReplayFormProps } from './replay-form.js';
import { ReplayQueueList } from './replay-queues.js';
import { type ReplayChange, ReplayReceipt } from './replay-receipt.js';
import { ReplayScope } from './replay-scope.js';

interface ReplaysProps {
  readonly look: ReplayLook;
  /** What came of the order that led here; null: there was none. */
  readonly receipt: ReplayChange | null;
  readonly replays: readonly ReplayView[];
  readonly replayQueues: readonly ReplayQueueView[];
  /** Names of the configured groups of queues. */
  readonly groups: readonly string[];
  readonly parked: ParkedProps;
  readonly lastOfParked: { readonly parking: string; readonly order: ParkingOrder } | null;
  readonly form: ReplayFormProps;
}

/** What is brought back, at which pace and why, what is parked, and the form that begins another replay. */
export const ReplaysPage: FC<{ readonly chrome: Chrome; readonly view: ReplaysProps }> = ({
  chrome,
  view: { look, receipt, replays, replayQueues, groups, parked, lastOfParked, form },
}) => {
  const mayAct = includesRole(look.role, 'operator');
  return (
    <Layout chrome={chrome}>
      <h1>Replays and parked jobs</h1>
      <ReplayReceipt receipt={receipt} />
      <div class="replays-control">
        <RecoveryStrip {...{ replays, replayQueues, held: [] }} role={look.role} back={look.back} />
        {mayAct ? (
          <ReplayScope back={look.back} scopes={replayScopes(replays, replayQueues, groups)} />
        ) : null}
      </div>
      <ReplayQueueList queues={replayQueues} role={look.role} />
      <ReplayList replays={replays} look={look} />
      <ParkedPart {...parked} last={lastOfParked} />
      {mayAct ? <ReplayForm {...form} /> : null}
    </Layout>
  );
};

/** One replay: how far it is, at which pace and why, what came of its jobs, and who did what to it. */
export const ReplayPage: FC<{
  readonly chrome: Chrome;
  readonly view: ReplayView;
  readonly look: ReplayLook;
  readonly receipt: ReplayChange | null;
  readonly actions: readonly ActionProps[];
}> = ({ chrome, view, look, receipt, actions }) => (
  <Layout chrome={chrome}>
    <h1>Replay</h1>
    <ReplayReceipt receipt={receipt} />
    <ReplayNow view={view} look={look} />
    <section aria-labelledby="replay-audit-title">
      <h2 id="replay-audit-title">Who did what</h2>
      <AuditList actions={actions} />
    </section>
  </Layout>
);

/** All of its page that changes; null: it was forgotten meanwhile. */
export const ReplayNow: FC<{ readonly view: ReplayView | null; readonly look: ReplayLook }> = ({
  view,
  look,
}) => (
  <ol id="replay-now" class="replays">
    {view === null ? <li class="replay">It is forgotten.</li> : <Running view={view} look={look} isOwnPage />}
  </ol>
);

/** Asks before a replay is ended for good. */
export const ReplayAbort: FC<{ readonly chrome: Chrome; readonly view: ReplayView }> = ({
  chrome,
  view: { record, account },
}) => (
  <Layout chrome={chrome}>
    <h1>Abort a replay</h1>
    <section class="replay" aria-labelledby="abort-title">
      <h2 id="abort-title">{replayTitle(record)}</h2>
      <p>
        {account.isCounted ? formatJobs(account.remaining) : 'Jobs'} not requeued yet stay where they are;
        another replay takes them. {formatJobs(account.moved)} requeued stay in their queues.
      </p>
      <p>A replay that has ended does not begin again: pause it where it may go on later.</p>
      <form method="post" action={`${replayPath(record.id)}/order`} class="replay-abort">
        <input type="hidden" name="back" value={replayPath(record.id)} />
        <p class="replay-field">
          <label for="abort-reason">Reason (optional)</label>
          <input id="abort-reason" name="reason" type="text" maxlength={500} />
        </p>
        <p class="replay-buttons">
          <button type="submit" class="button is-primary" name="state" value="aborted">
            Abort it for good
          </button>
          <a class="button" href={replayPath(record.id)}>
            Cancel
          </a>
        </p>
      </form>
    </section>
  </Layout>
);
