import type { FC } from 'hono/jsx';
import { briefValue } from '../server/model/brief.js';
import type { Evidence } from '../server/model/evidence.js';
import { type Finding as FoundTrouble, keyNumbers } from '../server/model/finding.js';
import { formatThings, formatValue } from '../server/model/format.js';
import { BriefLines } from './brief-lines.js';
import { DocsMark } from './docs-mark.js';
import { Icon } from './icon.js';
import { RemedyButton, type RemedyProps } from './remedy.js';
import { type Moment, Time } from './time.js';

interface Link {
  readonly text: string;
  readonly href: string | null;
}

/** A finding with what a page knows beside it: where its links lead, and what this role may press. */
export interface FindingProps {
  readonly id: string;
  readonly finding: FoundTrouble;
  /** Where: instance and queue; null where the page says it already. */
  readonly subject: Link | null;
  /** The page of the worker that it is about; null: of none, or of several. */
  readonly workerHref: string | null;
  /** What follows from it, with the way to its queue. */
  readonly follows: readonly Link[];
  readonly since: Moment;
  /** "for 2 min" */
  readonly age: string;
  readonly remedies: readonly RemedyProps[];
  /** What comes after the first of them; null: nothing. */
  readonly next: RemedyProps | null;
}

const SEVERITY_WORDS = { critical: 'Critical', warning: 'Warning', info: 'Info' } as const;

export const FindingCard: FC<FindingProps> = ({
  id,
  finding,
  subject,
  workerHref,
  follows,
  since,
  age,
  remedies,
  next,
}) => {
  const isLastSeen = finding.lastSeenAtMs !== undefined;
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
              <span class="finding-age">{age}</span> · since <Time {...since} />
            </span>
            {subject?.href ? (
              <a class="finding-subject" href={subject.href}>
                {subject.text}
              </a>
            ) : null}
            {workerHref === null ? null : (
              <a class="finding-subject" href={workerHref}>
                the worker
              </a>
            )}
            <DocsMark kind="findings" name={finding.code} />
            {/* Seen where a list is folded to headlines on a phone. */}
            <a class="finding-unfold" href={`#${id}`} aria-label={`Open: ${finding.headline}`}>
              Open
            </a>
          </p>
        </header>
        <BriefLines {...finding} />
        {remedies.length > 0 ? (
          <ul class="remedies" aria-label={`What can be done: ${finding.headline}`}>
            {remedies.map((remedy, i) => (
              <RemedyButton {...remedy} isFirst={i === 0} />
            ))}
          </ul>
        ) : null}
        {next === null ? null : (
          <div class="finding-next">
            <span>Then</span>
            <ul class="remedies">
              <RemedyButton {...next} />
            </ul>
          </div>
        )}
        <Numbers of={keyNumbers(finding)} format={briefNumber} />
        <Follows lines={follows} all={finding.explains?.length ?? 0} />
        <More finding={finding} />
      </article>
    </li>
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

const Follows: FC<{ readonly lines: readonly Link[]; readonly all: number }> = ({ lines, all }) =>
  lines.length === 0 ? null : (
    <details class="finding-more">
      <summary>
        +{all} that {all === 1 ? 'follows' : 'follow'}
      </summary>
      <ul>
        {lines.map(({ text, href }) => (
          <li>{href === null ? text : <a href={href}>{text}</a>}</li>
        ))}
        {all > lines.length ? <li>and {formatThings(all - lines.length, 'more', 'more')}</li> : null}
      </ul>
    </details>
  );

const More: FC<{ readonly finding: FoundTrouble }> = ({ finding: { detail = '', evidence } }) =>
  detail === '' && evidence.length === 0 ? null : (
    <details class="finding-more">
      <summary>Details and evidence</summary>
      {detail === '' ? null : <p>{detail}</p>}
      <Numbers of={evidence} format={exactNumber} />
    </details>
  );

export interface FindingListProps {
  readonly findings: readonly FindingProps[];
  /** What is said where there is none. */
  readonly calm: string;
}

/** Worst first. The script keeps the order while somebody is about to press a button in it. */
export const FindingList: FC<FindingListProps> = ({ findings, calm }) => (
  <>
    <ol id="findings-list" class="findings" data-list="findings">
      {findings.map((finding) => (
        <FindingCard {...finding} />
      ))}
    </ol>
    <p class="findings-calm">{calm}</p>
  </>
);
