import type { FC } from 'hono/jsx';
import { Icon } from './icon.js';
import { RemedyButton, type RemedyProps } from './remedy.js';
import { type Moment, Time } from './time.js';

export interface FindingProps {
  readonly id: string;
  readonly severity: 'critical' | 'warning' | 'info';
  readonly code: string;
  readonly title: string;
  /** Where: instance and queue; null where the page says it already. */
  readonly subject: { readonly text: string; readonly href: string } | null;
  readonly sentence: string;
  /** What follows from it: "analytics: Overloaded: 20 slots, all busy", with the way to its queue. */
  readonly explains: readonly { readonly text: string; readonly href: string | null }[];
  /** And so many more. */
  readonly explainsMore: number;
  readonly evidence: readonly { readonly label: string; readonly value: string }[];
  readonly since: Moment;
  /** "for 2 min" */
  readonly age: string;
  /** It was so when the console last could see. */
  readonly isLastSeen: boolean;
  readonly remedies: readonly RemedyProps[];
}

const SEVERITY_WORDS = { critical: 'Critical', warning: 'Warning', info: 'Note' } as const;

export const Finding: FC<FindingProps> = (finding) => (
  <li
    id={finding.id}
    class={`finding severity-${finding.severity}${finding.isLastSeen ? ' is-last-seen' : ''}`}
  >
    <article aria-labelledby={`${finding.id}-title`}>
      <header class="finding-head">
        <span class={`severity state-${finding.severity}`}>
          <Icon name={finding.isLastSeen ? 'blind' : finding.severity} /> {SEVERITY_WORDS[finding.severity]}
        </span>
        <h3 id={`${finding.id}-title`}>{finding.title}</h3>
        {finding.subject ? (
          <a class="finding-subject" href={finding.subject.href}>
            {finding.subject.text}
          </a>
        ) : null}
        <span class="finding-since">
          <span class="finding-age">{finding.age}</span> · since <Time {...finding.since} />
        </span>
      </header>
      <p class="finding-sentence">{finding.sentence}</p>
      <Explains lines={finding.explains} more={finding.explainsMore} />
      <dl class="chips">
        {finding.evidence.map((piece) => (
          <div class="chip">
            <dt>{piece.label}</dt>
            <dd>{piece.value}</dd>
          </div>
        ))}
      </dl>
      {finding.remedies.length > 0 ? (
        <ul class="remedies" aria-label={`What can be done: ${finding.title}`}>
          {finding.remedies.map((remedy, i) => (
            <RemedyButton {...remedy} isFirst={i === 0} />
          ))}
        </ul>
      ) : null}
    </article>
  </li>
);

const Explains: FC<{ readonly lines: FindingProps['explains']; readonly more: number }> = ({
  lines,
  more,
}) =>
  lines.length === 0 ? null : (
    <p class="finding-explains">
      <span class="finding-explains-word">Explains:</span>{' '}
      {lines.map(({ text, href }, i) => (
        <>
          {i > 0 ? '; ' : ''}
          {href === null ? text : <a href={href}>{text}</a>}
        </>
      ))}
      {more > 0 ? `; and ${more} more` : ''}
    </p>
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
        <Finding {...finding} />
      ))}
    </ol>
    <p class="findings-calm">{calm}</p>
  </>
);
