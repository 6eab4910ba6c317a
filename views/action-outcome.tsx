import type { FC } from 'hono/jsx';
import type { ActionCall, Outcome, OutcomeStatus, WorkerResult } from '../server/model/action.js';
import { formatBytes, formatDuration, formatThings } from '../server/model/format.js';
import { capitalized, plainName } from '../server/model/words.js';
import { Changes, Steps } from './action-preview.js';
import { ActionWatch, type WatchProps } from './action-watch.js';
import { CloseButton } from './controls.js';
import { Icon, type IconName } from './icon.js';
import { encodePart } from './links.js';
import type { State } from './state.js';

const MAX_SHOWN = 25;

type Words = { readonly word: string; readonly state: State; readonly icon: IconName };

export const STATUS_WORDS: Readonly<Record<OutcomeStatus, Words>> = {
  applied: { word: 'done and read back', state: 'calm', icon: 'calm' },
  unchanged: { word: 'was so already', state: 'info', icon: 'info' },
  unverified: { word: 'not confirmed by all', state: 'warning', icon: 'warning' },
  failed: { word: 'failed', state: 'critical', icon: 'critical' },
  refused: { word: 'refused', state: 'critical', icon: 'critical' },
};
const WORST_FIRST: readonly OutcomeStatus[] = ['failed', 'refused', 'unverified', 'unchanged', 'applied'];

const RESULTS: Readonly<Record<WorkerResult['result'], Words>> = {
  refused: { word: 'refused', state: 'critical', icon: 'critical' },
  'no-answer': { word: 'no answer yet', state: 'warning', icon: 'warning' },
  late: { word: 'clock too far off', state: 'warning', icon: 'warning' },
  applied: { word: 'in force', state: 'calm', icon: 'calm' },
};
const WORST_RESULT_FIRST: readonly WorkerResult['result'][] = ['refused', 'no-answer', 'late', 'applied'];

interface OutcomeProps {
  /** What was pressed: "Set concurrency to 50". */
  readonly verb: string;
  readonly outcomes: readonly Outcome[];
  /** Address of the action that was left for this one; null: none was. */
  readonly goOn: string | null;
  readonly watch: WatchProps;
}

/** What came of it, target by target, as read back from Redis; it stays open and shows what goes on. */
export const ActionOutcome: FC<OutcomeProps> = ({ verb, outcomes, goOn, watch }) => {
  const count = (status: OutcomeStatus): number => outcomes.filter((one) => one.status === status).length;
  const worst = WORST_FIRST.find((status) => count(status) > 0) ?? 'unchanged';
  const sorted = [...outcomes].sort((a, b) => WORST_FIRST.indexOf(a.status) - WORST_FIRST.indexOf(b.status));
  const freed = outcomes.flatMap(({ freedBytes }) => freedBytes ?? []);
  const slowest = Math.max(0, ...outcomes.map(({ durationMs }) => durationMs));
  const undo = undoOf(outcomes);
  return (
    <div class="action" data-outcome="">
      <header class="drawer-head">
        <h2 id="drawer-title" tabindex={-1} class={`state-${STATUS_WORDS[worst].state}`}>
          <Mark {...STATUS_WORDS[worst]} /> {verb}: {titleOf(outcomes, worst)}
        </h2>
        <CloseButton />
      </header>
      <ActionWatch {...watch} />
      <p class="preview-summary" role="status">
        {outcomes.length > 1
          ? `${capitalized(
              WORST_FIRST.filter((status) => count(status) > 0)
                .map((status) => `${formatThings(count(status), 'queue')} ${STATUS_WORDS[status].word}`)
                .join(', '),
            )}. `
          : ''}
        {freed.length > 0 ? `Freed ${formatBytes(freed.reduce((sum, bytes) => sum + bytes, 0))}. ` : ''}
        Took {slowest < 1000 ? `${Math.round(slowest)} ms` : formatDuration(slowest / 1000)}.
      </p>
      <ul class="outcomes">
        {sorted.slice(0, MAX_SHOWN).map((outcome) => (
          <Target {...outcome} />
        ))}
      </ul>
      {outcomes.length > MAX_SHOWN ? (
        <p class="hint">and {outcomes.length - MAX_SHOWN} more: see Audit log.</p>
      ) : null}
      <div class="drawer-actions">
        {goOn === null ? null : (
          <a class="button is-primary" href={goOn} data-drawer="">
            Go on to what you were about to do
          </a>
        )}
        <button type="button" class={goOn === null ? 'button is-primary' : 'button'} data-drawer-close="">
          Done
        </button>
        {undo ? <UndoForm {...undo} /> : null}
        <a class="drawer-audit" href="/audit">
          Audit log
        </a>
      </div>
    </div>
  );
};

const Mark: FC<Pick<Words, 'icon'>> = ({ icon }) => (
  <span class="state-icon">
    <Icon name={icon} />
  </span>
);

function titleOf(outcomes: readonly Outcome[], worst: OutcomeStatus): string {
  if (worst === 'applied') return outcomes.some(({ isUnderWay }) => isUnderWay) ? 'under way' : 'done';
  const isSome = outcomes.length > 1 && outcomes.some(({ status }) => status === 'applied');
  return isSome && worst !== 'unchanged' ? 'done in part' : STATUS_WORDS[worst].word;
}

const Target: FC<Outcome> = (outcome) => {
  const { status, jobId, worker, workers, queue, instance, steps, warnings } = outcome;
  const words = STATUS_WORDS[status];
  const isMade = status !== 'refused' && status !== 'failed';
  const name =
    jobId !== null
      ? `job ${jobId}`
      : worker !== null
        ? (workers[0]?.label ?? worker)
        : (queue ?? `Redis ${instance}`);
  return (
    <li class={`outcome state-${words.state}`}>
      <p class="outcome-head">
        <Mark {...words} /> <strong>{plainName(name)}</strong>{' '}
        <span class="outcome-status">{words.word}</span>
      </p>
      {steps ? <Steps steps={steps} /> : <p>{capitalized(outcome.summary)}</p>}
      {isMade ? <Changes fields={outcome.fields} isOne /> : null}
      <Workers workers={workers} />
      {warnings.map((text) => (
        <p class="outcome-warning">
          <span class="state-icon state-warning">
            <Icon name="warning" />
          </span>{' '}
          {text}
        </p>
      ))}
    </li>
  );
};

/** What each worker made of the order, worst first. */
const Workers: FC<Pick<Outcome, 'workers'>> = ({ workers }) => {
  const sorted = [...workers].sort(
    (a, b) => WORST_RESULT_FIRST.indexOf(a.result) - WORST_RESULT_FIRST.indexOf(b.result),
  );
  return sorted.length === 0 ? null : (
    <ul class="worker-results">
      {sorted.slice(0, MAX_SHOWN).map(({ label, result, note, concurrency }) => (
        <li class={`state-${RESULTS[result].state}`}>
          <Mark {...RESULTS[result]} /> <strong>{plainName(label)}</strong> {RESULTS[result].word}
          {concurrency === null ? '' : `, ${formatThings(concurrency, 'slot')}`}
          {note ? <span class="hint"> {note}</span> : null}
        </li>
      ))}
      {sorted.length > MAX_SHOWN ? <li class="hint">and {sorted.length - MAX_SHOWN} more</li> : null}
    </ul>
  );
};

/** One way back for all: only where it is the same call for each. What one worker did not confirm was done all the same. */
function undoOf(outcomes: readonly Outcome[]): { readonly calls: readonly ActionCall[] } | null {
  const calls = outcomes.flatMap(({ status, undo }) =>
    (status === 'applied' || status === 'unverified') && undo ? [undo] : [],
  );
  const same = (call: ActionCall): string => JSON.stringify([call.action, call.instance, call.args]);
  return new Set(calls.map(same)).size === 1 ? { calls } : null;
}

/** Only those that were changed: a queue that was paused by somebody else before stays paused. */
const UndoForm: FC<{ readonly calls: readonly ActionCall[] }> = ({ calls }) => {
  const [first] = calls;
  if (!first) return null;
  return (
    <form
      method="post"
      action="/action/open"
      hx-post="/action/open"
      hx-target="closest [data-action-view]"
      hx-swap="innerHTML"
    >
      <input type="hidden" name="action" value={first.action} />
      <input type="hidden" name="instance" value={first.instance} />
      {calls
        .flatMap(({ queues }) => queues)
        .map((id) => (
          <input type="hidden" name="encodedQueues" value={encodePart(id)} />
        ))}
      {calls
        .flatMap(({ workers = [] }) => workers)
        .map((id) => (
          <input type="hidden" name="encodedWorkers" value={encodePart(id)} />
        ))}
      {first.jobId === undefined ? null : <input type="hidden" name="jobId" value={first.jobId} />}
      <input type="hidden" name="args" value={JSON.stringify(first.args)} />
      <input type="hidden" name="why" value="undo" />
      <button type="submit" class="button">
        <Icon name="undo" /> {calls.length === 1 ? 'Undo' : `Undo for ${formatThings(calls.length, 'queue')}`}
      </button>
    </form>
  );
};
