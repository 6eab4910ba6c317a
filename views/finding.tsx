import type { FC } from 'hono/jsx';
import { briefValue } from '../server/model/brief.js';
import type { Evidence } from '../server/model/evidence.js';
import { type Finding as FoundTrouble, keyNumbers, type Remedy } from '../server/model/finding.js';
import { formatThings, formatValue } from '../server/model/format.js';
import { BriefLines } from './brief-lines.js';
import { DocsMark } from './docs-mark.js';
import { Icon } from './icon.js';
import { instancePath, queuePath, workerPath } from './links.js';
import { RemedyButton, type RemedyProps } from './remedy.js';
import { Time } from './time.js';
import { coarseAge, elementId, moment } from './words.js';

/** What a page knows beside its findings. */
export interface FindingContext {
  readonly nowMs: number;
  readonly hasManyInstances: boolean;
  /** On a queue's or an instance's own page the subject goes without saying. */
  readonly isOwnPage: boolean;
  /** What this role may press, what suffices first; what else can be done about it is among them. */
  readonly buttonsOf: (finding: FoundTrouble) => readonly RemedyProps[];
  readonly buttonOf: (remedy: Remedy, finding: FoundTrouble) => RemedyProps;
}

export const SEVERITY_WORDS = { critical: 'Critical', warning: 'Warning', info: 'Info' } as const;

export const findingId = ({ key }: Pick<FoundTrouble, 'key'>): string => elementId('finding', key);

export const FindingCard: FC<{ readonly finding: FoundTrouble; readonly context: FindingContext }> = ({
  finding,
  context,
}) => {
  const { nowMs, buttonsOf, buttonOf } = context;
  const { next, sinceMs } = finding;
  const id = findingId(finding);
  const isLastSeen = finding.lastSeenAtMs !== undefined;
  const buttons = buttonsOf(finding);
  // A plan says itself what to do, first to last.
  const isPlanned = finding.remedies[0]?.action === 'sequence' && (buttons[0]?.href ?? null) !== null;
  return (
    <li id={id} class={`finding severity-${finding.severity}${isLastSeen ? ' is-last-seen' : ''}`}>
      <article aria-labelledby={`${id}-title`}>
        <header class="finding-head">
          <span class={`severity state-${finding.severity}`}>
            <Icon name={isLastSeen ? 'blind' : finding.severity} />{' '}
            {isLastSeen ? 'Last seen' : SEVERITY_WORDS[finding.severity]}
          </span>
          <h3 id={`${id}-title`}>{finding.headline}</h3>
          <p class="finding-meta">
            <span class="finding-since">
              since <Time {...moment(sinceMs, nowMs)} /> ·{' '}
              <span class="finding-age">for {coarseAge((nowMs - sinceMs) / 1000)}</span>
            </span>
            <Subject finding={finding} context={context} />
            {finding.worker ? (
              <a class="finding-subject" href={workerPath(finding.instance, finding.worker)}>
                the worker
              </a>
            ) : null}
            <DocsMark kind="findings" name={finding.code} />
            {/* Seen where a list is folded to headlines on a phone. */}
            <a class="finding-unfold" href={`#${id}`} aria-label={`Open: ${finding.headline}`}>
              Open
            </a>
          </p>
        </header>
        <BriefLines {...finding} action={isPlanned ? '' : finding.action} />
        <Remedies buttons={buttons} of={finding.headline} />
        {next === undefined ? null : (
          <div class="finding-next">
            <span>Then</span>
            <ul class="remedies">
              <RemedyButton {...buttonOf(next, finding)} />
            </ul>
          </div>
        )}
        <Numbers of={keyNumbers(finding)} format={briefNumber} />
        <Follows finding={finding} />
        <More finding={finding} isPlanned={isPlanned} />
      </article>
    </li>
  );
};

/** Where it is: a queue, or the Redis where there are several. */
const Subject: FC<{ readonly finding: FoundTrouble; readonly context: FindingContext }> = ({
  finding: { instance, queue },
  context: { isOwnPage, hasManyInstances },
}) =>
  isOwnPage || (queue === null && !hasManyInstances) ? null : (
    <a class="finding-subject" href={queue === null ? instancePath(instance) : queuePath(instance, queue)}>
      {[...(hasManyInstances ? [instance] : []), ...(queue === null ? [] : [queue])].join(' · ')}
    </a>
  );

/** The first that this role may press is the one to press; the others are for whoever knows better. */
const Remedies: FC<{ readonly buttons: readonly RemedyProps[]; readonly of: string }> = ({ buttons, of }) => {
  const [first, ...others] = buttons;
  if (!first) return null;
  const label = `What can be done: ${of}`;
  return first.href !== null && others.length > 1 ? (
    <>
      <ul class="remedies" aria-label={label}>
        <RemedyButton {...first} isFirst />
      </ul>
      <details class="finding-more">
        <summary>{others.length} other ways</summary>
        <ul class="remedies">
          {others.map((other) => (
            <RemedyButton {...other} />
          ))}
        </ul>
      </details>
    </>
  ) : (
    <ul class="remedies" aria-label={label}>
      {buttons.map((button, i) => (
        <RemedyButton {...button} isFirst={i === 0} />
      ))}
    </ul>
  );
};

type Format = (piece: Evidence) => string;

const briefNumber: Format = ({ value, unit }) => readable(value) ?? briefValue(value, unit);
const exactNumber: Format = ({ value, unit, error }) =>
  (readable(value) ?? formatValue(value, unit)) + (error ? ` ± ${formatValue(error, unit)}` : '');

/** A moment as JSON has it, in UTC; null: it is none. */
function readable(value: number | string): string | null {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(String(value))
    ? `${String(value).slice(0, 19).replace('T', ' ')} UTC`
    : null;
}

const Numbers: FC<{ readonly of: readonly Evidence[]; readonly format: Format }> = ({ of, format }) =>
  of.length === 0 ? null : (
    <dl class="chips">
      {of.map((piece) => (
        <div class="chip" title={`${piece.label} ${exactNumber(piece)}`}>
          <dt>{piece.label}</dt>
          <dd>{format(piece)}</dd>
        </div>
      ))}
    </dl>
  );

/** More lines than this are counted. */
const MAX_FOLLOWING = 20;

/** What follows from it, with the way to its queue. */
const Follows: FC<{ readonly finding: FoundTrouble }> = ({ finding: { instance, explains = [] } }) =>
  explains.length === 0 ? null : (
    <details class="finding-more">
      <summary>
        +{explains.length} that {explains.length === 1 ? 'follows' : 'follow'}
      </summary>
      <ul>
        {explains.slice(0, MAX_FOLLOWING).map(({ queue, headline }) => (
          <li>{queue === null ? headline : <a href={queuePath(instance, queue)}>{headline}</a>}</li>
        ))}
        {explains.length > MAX_FOLLOWING ? (
          <li>and {formatThings(explains.length - MAX_FOLLOWING, 'more', 'more')}</li>
        ) : null}
      </ul>
    </details>
  );

const More: FC<{ readonly finding: FoundTrouble; readonly isPlanned: boolean }> = ({
  finding: { detail = '', evidence, action },
  isPlanned,
}) =>
  detail === '' && evidence.length === 0 ? null : (
    <details class="finding-more">
      <summary>Details and evidence</summary>
      {isPlanned ? <p>{action}</p> : null}
      {detail === '' ? null : <p>{detail}</p>}
      <Numbers of={evidence} format={exactNumber} />
    </details>
  );

export interface FindingListProps {
  readonly findings: readonly FoundTrouble[];
  readonly context: FindingContext;
  /** What is said where there is none; null: something else says it. */
  readonly calm: string | null;
}

/** Worst first. The script keeps the order while somebody is about to press a button in it. */
export const FindingList: FC<FindingListProps> = ({ findings, context, calm }) => (
  <>
    <ol id="findings-list" class="findings" data-list="findings">
      {findings.map((finding) => (
        <FindingCard finding={finding} context={context} />
      ))}
    </ol>
    {calm === null ? null : <p class="findings-calm">{calm}</p>}
  </>
);
