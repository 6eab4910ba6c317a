import type { FC } from 'hono/jsx';
import { formatRunTime } from '../server/model/format.js';
import { isNamedType, type JobTypeState } from '../server/model/job-type.js';
import type { QueueState } from '../server/model/snapshot.js';
import { plainName } from '../server/model/words.js';
import { NumberCell, SettingLink } from './controls.js';
import { Histogram } from './drawn/histogram.js';
import { Icon } from './icon.js';
import {
  busyInWords,
  countInWords,
  lineOf,
  longestInWords,
  rangeInWords,
  type StateLine,
  shareInWords,
  sourceWords,
  typeWordsOf,
} from './job-type-words.js';
import { actionPath, jobTypePath, replayFormPath } from './links.js';
import { Time } from './time.js';
import { elementId, rateNumber, UNKNOWN } from './words.js';

/** What job types are shown with. */
export interface TypeContext {
  readonly queue: QueueState;
  readonly instance: string;
  readonly canAct: boolean;
  /** Errors may quote job data, which not everybody may see. */
  readonly showsErrors: boolean;
  readonly nowMs: number;
}

type TypeProps = TypeContext & { readonly type: JobTypeState };

export function typeRowId(instance: string, queueId: string, type: string): string {
  return elementId('type', `${instance}/${queueId}/${type}`);
}

/** One job type: what is the matter with it, what waits and runs, and how long that takes; on a phone a card. */
export const JobTypeRow: FC<TypeProps> = (row) => {
  const { type, queue, instance } = row;
  const words = typeWordsOf(type, row.showsErrors, row.nowMs);
  const source = sourceWords(type);
  return (
    <tr id={typeRowId(instance, queue.id, type.name)} class={`queue job-type state-${words.state}`}>
      <th scope="row" class="cell-name">
        <TypeName {...row} />
        {source.text === '' ? null : (
          <span class="place" title={source.limits}>
            {source.text}
          </span>
        )}
      </th>
      <td class="cell-verdict" data-label="State">
        <TypeStateLines {...row} />
      </td>
      <td class="number" data-label="Waiting">
        {countInWords(type.waiting)}
        <Details lines={[rangeInWords(type.waiting), shareInWords(type.shareOfBacklog)]} />
      </td>
      <td class="number" data-label="Active">
        {countInWords(type.active)}
        <Details lines={[busyInWords(type), longestInWords(type)]} />
      </td>
      <NumberCell label="Added /s">{rateNumber(type.arrivalsPerSecond)}</NumberCell>
      <NumberCell label="Done /s">{rateNumber(type.completedPerSecond)}</NumberCell>
      <td class="number" data-label="Failed /s">
        {rateNumber(type.failedPerSecond)}
        <ReplayLink {...row} />
      </td>
      <td class="cell-run" data-label="Run time">
        <div class="run-shapes">
          <span>
            {type.run ? formatRunTime(type.run.p50Ms) : UNKNOWN}
            <Details lines={type.run ? [`p95 ${formatRunTime(type.run.p95Ms)}`] : []} />
          </span>
          {type.run ? (
            <Histogram
              title={`Run times of ${type.name}`}
              buckets={type.run.histogram}
              threshold={lineOf(type)}
            />
          ) : null}
        </div>
      </td>
      <td class="number" data-label="Wait time">
        {type.waited ? formatRunTime(type.waited.p50Ms) : UNKNOWN}
        <Details lines={type.waited ? [`p95 ${formatRunTime(type.waited.p95Ms)}`] : []} />
      </td>
      <td class="number cell-setting" data-label="Slow from">
        <ThresholdLink {...row} />
      </td>
    </tr>
  );
};

/** Those that are counted together have no page. */
const TypeName: FC<TypeProps> = ({ type, queue, instance }) =>
  isNamedType(type.name) ? (
    <a class="type-name" href={jobTypePath(instance, queue.id, type.name)}>
      {plainName(type.name)}
    </a>
  ) : (
    <span class="type-name">{plainName(type.name)}</span>
  );

/** What is the matter, the worst first; then what is known about it. */
export const TypeStateLines: FC<TypeProps> = ({ type, showsErrors, nowMs }) => {
  const { state, icon, lines } = typeWordsOf(type, showsErrors, nowMs);
  return (
    <>
      {lines.map((line, i) =>
        i === 0 ? (
          <span class={`state-word state-${state}`}>
            <Icon name={icon} /> <Line {...line} />
          </span>
        ) : (
          <span class="type-why">
            <Line {...line} />
          </span>
        ),
      )}
    </>
  );
};

const Line: FC<StateLine> = ({ text, at }) => (
  <>
    {text}
    {at ? (
      <>
        {' '}
        <Time {...at} />
      </>
    ) : null}
  </>
);

/** Where jobs of it have failed lately: once it is fixed they can be brought back. */
export const ReplayLink: FC<TypeProps & { readonly isButton?: boolean }> = ({
  type,
  queue,
  instance,
  canAct,
  isButton = false,
}) => {
  const { name, failing, failedPerSecond, lastError } = type;
  const hasFailed = failing !== null || lastError !== null || (failedPerSecond ?? 0) > 0;
  if (!canAct || !hasFailed || queue.counts.failed === 0 || !isNamedType(name)) return null;
  const since = failing === null ? {} : { fromMs: failing.firstFailureAtMs };
  return (
    <a
      class={isButton ? 'button' : 'detail'}
      href={replayFormPath({ instance, queue: queue.id, jobType: name, ...since })}
      aria-label={`Replay what failed of ${plainName(name)}`}
    >
      {isButton ? 'Replay what failed…' : 'Replay'}
    </a>
  );
};

/** From which run time on it is called slow, and where that is set. */
export const ThresholdLink: FC<TypeProps> = ({ type, queue, instance, canAct }) => {
  const { name, slowThresholdMs } = type;
  const value = slowThresholdMs === null ? 'none' : formatRunTime(slowThresholdMs);
  return (
    <SettingLink
      value={value}
      label={`Change from which run time ${plainName(name)} is slow, now ${value}`}
      href={
        canAct && isNamedType(name)
          ? actionPath({
              action: 'jobtype.threshold',
              instance,
              queues: [queue.id],
              args: { type: name, slowThresholdMs },
            })
          : null
      }
    />
  );
};

const Details: FC<{ readonly lines: readonly string[] }> = ({ lines }) => (
  <>{lines.map((line) => (line === '' ? null : <span class="detail">{line}</span>))}</>
);
