import type { FC } from 'hono/jsx';
import { formatBytes, formatCount, formatJobs, formatRate } from '../server/model/format.js';
import {
  bytesOnDisk,
  type DiskUse,
  type Parking,
  type ParkSkipReason,
  SKIP_WORDS,
} from '../server/model/parking.js';
import { saidBy } from '../server/model/replay-spec.js';
import { includesRole, type Role } from '../server/model/role.js';
import { plainName, plainSentence } from '../server/model/words.js';
import { Ago } from './ago.js';
import { ShareBar } from './drawn/bars.js';
import { Icon, type IconName } from './icon.js';
import { encodePart, queuePath, replayFormPath } from './links.js';
import { restorePath } from './recovery-strip.js';
import { RateForm, reasonInWords } from './replay.js';
import type { State } from './state.js';
import { coarseAge, elementId } from './words.js';

/** What was just done to a parking on a page: a change of state, of the guard, or of the rate. */
export const PARKING_ORDERS = ['running', 'paused', 'aborted', 'guard', 'rate'] as const;
export type ParkingOrder = (typeof PARKING_ORDERS)[number];

/** Who looks at parkings, from which page. */
interface ParkedLook {
  readonly role: Role;
  /** The role that may see job data, and so export it. */
  readonly jobDataRole: Role;
  readonly nowMs: number;
  /** The page to be on after a button. */
  readonly back: string;
  /** That page is of one queue, which need not be named. */
  readonly isOfQueue: boolean;
}

export interface ParkedProps {
  /** Newest first; none: only the place of the list is there. */
  readonly parkings: readonly Parking[];
  /** null: there is nothing parked. */
  readonly disk: DiskUse | null;
  readonly look: ParkedLook;
}

/** The list with what was just done to it, which stays while the list goes on. */
export const ParkedPart: FC<
  ParkedProps & { readonly last: { readonly parking: string; readonly order: ParkingOrder } | null }
> = ({ last, ...parked }) => {
  const changed = parked.parkings.find(({ id }) => id === last?.parking);
  return (
    <>
      {last && changed ? (
        <p id="parked-outcome" class="parked-outcome" role="status">
          <Icon name="calm" /> {titleOf(changed, parked.look)}: {parkingOrderInWords(last.order, changed)}
        </p>
      ) : null}
      <Parked {...parked} />
    </>
  );
};

/** What was taken out of Redis to disk, how much of it is back, at which pace and why, and what can be done about it. */
export const Parked: FC<ParkedProps> = ({ parkings, disk, look }) =>
  parkings.length === 0 || disk === null ? (
    <section id="parked" hidden />
  ) : (
    <section id="parked" class="parked" aria-labelledby="parked-title">
      <h2 id="parked-title">Parked jobs</h2>
      <p class="muted">
        {formatBytes(disk.usedBytes)} of {formatBytes(disk.maxBytes)} used on disk,{' '}
        {formatBytes(disk.freeBytes)} free.
      </p>
      <ol class="replays">
        {parkings.map((parking) => (
          <Card parking={parking} look={look} />
        ))}
      </ol>
    </section>
  );

const Card: FC<{ readonly parking: Parking; readonly look: ParkedLook }> = ({ parking, look }) => {
  const id = elementId('parking', parking.id);
  const { state, icon, word } = stateOf(parking);
  const reason = reasonInWords(parking.paceReason ?? parking.because ?? '');
  const title = titleOf(parking, look);
  return (
    <li class="replay" id={id}>
      <article aria-labelledby={`${id}-title`}>
        <div class="replay-head">
          <h3 id={`${id}-title`}>
            {look.isOfQueue ? title : <a href={queuePath(parking.instance, parking.queue)}>{title}</a>}
          </h3>
          <span class={`state-word state-${state}`}>
            <Icon name={icon} /> {word}
          </span>
        </div>
        {parking.phase === 'park' && parking.restored === 0 ? null : (
          <>
            <ShareBar
              title="Restored"
              unit="count"
              isThin
              total={parking.parked}
              parts={[
                { label: 'back in Redis', value: parking.restored, tone: 'c' },
                { label: 'were there again', value: parking.existed + parking.fellBack, tone: 'rest' },
              ]}
            />
            <p class="replay-progress">{progressOf(parking)}</p>
          </>
        )}
        {reason === '' ? null : <p>{reason}</p>}
        <p class="muted">{accountOf(parking)}</p>
        <p class="muted">
          {saidBy(plainName(parking.actor), plainSentence(parking.reason))}
          {leftOf(parking)} · <Ago atMs={parking.startedAtMs} nowMs={look.nowMs} />
        </p>
        <Links parking={parking} look={look} />
        <Controls parking={parking} id={id} look={look} />
      </article>
    </li>
  );
};

const Links: FC<{ readonly parking: Parking; readonly look: ParkedLook }> = ({ parking, look }) => {
  const { id, instance, queue, remaining, state } = parking;
  const mayRestore = includesRole(look.role, 'operator') && remaining > 0 && state !== 'running';
  return (
    <p class="parked-links">
      {mayRestore ? (
        <>
          <a class="button" href={restorePath(parking)} data-drawer="">
            Restore
          </a>{' '}
          <a href={replayFormPath({ instance, queue, from: 'parked' })}>Replay some of them</a>{' '}
        </>
      ) : null}
      {includesRole(look.role, look.jobDataRole) && remaining > 0 ? (
        <a href={`/api/v1/parkings/${encodePart(id)}.ndjson`}>Export</a>
      ) : null}
    </p>
  );
};

/** What can be done to one that is under way or paused, each with what follows. */
const Controls: FC<{ readonly parking: Parking; readonly id: string; readonly look: ParkedLook }> = ({
  parking,
  id,
  look,
}) => {
  const { state, ratePerSecond, guard } = parking;
  if (!includesRole(look.role, 'operator') || (state !== 'running' && state !== 'paused')) return null;
  const action = `/parkings/${encodePart(parking.id)}/order`;
  return (
    <ul class="parked-controls" aria-label="What can be done">
      {buttonsOf(parking).map(({ name, value, label, does }) => (
        <li>
          <form method="post" action={action}>
            <input type="hidden" name="back" value={look.back} />
            <button
              type="submit"
              class="small-button"
              name={name}
              value={value}
              aria-describedby={`${id}-${value}`}
            >
              {label}
            </button>
            <span id={`${id}-${value}`} class="muted">
              {does}
            </span>
          </form>
        </li>
      ))}
      {parking.phase === 'park' ? null : (
        <li>
          <RateForm
            id={`${id}-rate`}
            action={action}
            back={look.back}
            value={ratePerSecond === null ? '' : String(ratePerSecond)}
            max={100_000}
            describedBy={`${id}-rate-does`}
          />
          <span id={`${id}-rate-does`} class="muted">
            {guard ? 'At once; auto-throttle stays below it.' : 'At once, whatever live jobs suffer.'}
          </span>
        </li>
      )}
    </ul>
  );
};

interface OrderButton {
  readonly name: 'state' | 'guard';
  readonly value: string;
  readonly label: string;
  readonly does: string;
}

function buttonsOf({ phase, state, remaining, guard, ratePerSecond }: Parking): readonly OrderButton[] {
  const isPark = phase === 'park';
  const stay = `${formatJobs(remaining)} stay on disk`;
  const pause = isPark
    ? 'Takes nothing more out of Redis; what is on disk stays.'
    : `Nothing more comes back until it is resumed; ${stay}.`;
  const resume = isPark
    ? 'Goes on taking jobs out of Redis.'
    : `Goes on with ${formatJobs(remaining)}, a few first.`;
  const pace = ratePerSecond === null ? 'as fast as it goes' : `at ${formatRate(ratePerSecond)}`;
  const orders: OrderButton[] = [
    state === 'running'
      ? { name: 'state', value: 'paused', label: 'Pause', does: pause }
      : { name: 'state', value: 'running', label: 'Resume', does: resume },
    {
      ...{ name: 'state', value: 'aborted', label: 'Abort' },
      does: `Ends here. ${isPark ? '' : 'What is back stays; '}${stay} and can be restored.`,
    },
  ];
  if (isPark) return orders;
  return [
    ...orders,
    guard
      ? {
          ...{ name: 'guard', value: 'off', label: 'Auto-throttle off' },
          does: `The rest comes back ${pace}, whatever live jobs suffer.`,
        }
      : {
          ...{ name: 'guard', value: 'on', label: 'Auto-throttle on' },
          does: 'Slows down by itself when live jobs suffer.',
        },
  ];
}

function titleOf({ jobTypes, queue }: Parking, { isOfQueue }: ParkedLook): string {
  const types = jobTypes === null ? 'All types' : jobTypes.map(plainName).join(', ');
  return isOfQueue ? types : `${types} of ${plainName(queue)}`;
}

function stateOf(parking: Parking): {
  readonly state: State;
  readonly icon: IconName;
  readonly word: string;
} {
  const { phase, state, pausedBy, remaining, restored } = parking;
  if (state === 'paused' && pausedBy === 'guard')
    return { state: 'critical', icon: 'paused', word: 'stopped: restored jobs only fail' };
  if (state === 'paused')
    return {
      state: 'warning',
      icon: 'paused',
      word: pausedBy === 'policy' ? 'held by the policy' : 'paused',
    };
  if (state === 'aborted') return { state: 'info', icon: 'paused', word: 'aborted' };
  if (state === 'running') {
    const word = phase === 'restore' ? `Restore running${paceInWords(parking)}` : 'Parking';
    return { state: 'calm', icon: 'flowing', word };
  }
  return { state: 'calm', icon: 'calm', word: remaining === 0 && restored > 0 ? 'restored' : 'parked' };
}

/** " at 40/s of 100/s" */
function paceInWords({ pacePerSecond, ratePerSecond }: Parking): string {
  if (pacePerSecond === null) return '';
  const of =
    ratePerSecond !== null && ratePerSecond > pacePerSecond ? ` of ${formatRate(ratePerSecond)}` : '';
  return pacePerSecond === 0 ? `, at rest (0${of})` : ` at ${formatRate(pacePerSecond)}${of}`;
}

function progressOf({ phase, state, parked, remaining, pacePerSecond }: Parking): string {
  const left =
    phase === 'restore' && state === 'running' && pacePerSecond
      ? ` · about ${coarseAge(remaining / pacePerSecond)} to go`
      : '';
  return `${formatCount(parked - remaining)} of ${formatCount(parked)} off the disk${left}`;
}

/** "3,000 parked = 20 restored + 2,980 on disk · freed 1.2 MB · restoring takes about 1.2 MB" */
function accountOf(parking: Parking): string {
  const { parked, freedBytes, remaining, restored, existed, fellBack } = parking;
  const there = existed + fellBack > 0 ? ` + ${formatCount(existed + fellBack)} there already` : '';
  const takes = remaining > 0 ? ` · restoring takes about ${formatBytes(bytesOnDisk(parking))}` : '';
  return `${formatCount(parked)} parked = ${formatCount(restored)} restored${there} + ${formatCount(remaining)} on disk · freed ${formatBytes(freedBytes)} in Redis${takes}`;
}

function leftOf({ skipped }: Parking): string {
  const left = (Object.entries(skipped) as [ParkSkipReason, number][]).map(
    ([reason, jobs]) => `${formatCount(jobs)} ${SKIP_WORDS[reason]}`,
  );
  return left.length === 0 ? '' : `. Left in Redis: ${left.join(', ')}`;
}

/** What an order did, from how things stand after it. */
export function parkingOrderInWords(order: ParkingOrder, parking: Parking): string {
  const { phase, restored, parked, remaining, ratePerSecond, guard } = parking;
  const stands =
    phase === 'park'
      ? `${formatJobs(remaining)} on disk`
      : `${formatCount(restored)} of ${formatCount(parked)} are back, ${formatCount(remaining)} on disk`;
  const did = {
    paused: 'Paused',
    running: 'Resumed',
    aborted: 'Aborted',
    guard: `Auto-throttle is ${guard ? 'on' : 'off'}`,
    rate: `The rate is set to ${ratePerSecond === null ? 'as fast as it goes' : formatRate(ratePerSecond)}`,
  };
  return `${did[order]}: ${stands}.`;
}
