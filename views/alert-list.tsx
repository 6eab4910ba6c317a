import type { FC } from 'hono/jsx';
import { type Alert, type AlertGroup, type AlertView, subjectName } from '../server/model/alert.js';
import { formatThings } from '../server/model/format.js';
import { includesRole, type Role } from '../server/model/role.js';
import { plainName, plainSentence } from '../server/model/words.js';
import { BriefLines } from './brief-lines.js';
import { Icon } from './icon.js';
import { instancePath, queuePath } from './links.js';
import { Time } from './time.js';
import { coarseAge, elementId, moment } from './words.js';

/** Who looks at alerts, and when. */
export interface AlertReader {
  readonly role: Role;
  readonly nowMs: number;
}

const SEVERITY_WORDS = { critical: 'Critical', warning: 'Warning', info: 'Info' } as const;

/** Alerts by their cause, worst first: each with what to do, and what follows behind a disclosure. */
export const AlertGroups: FC<{ readonly groups: readonly AlertGroup[]; readonly reader: AlertReader }> = ({
  groups,
  reader,
}) => (
  <ol class="alerts">
    {groups.map((group) => (
      <Group group={group} reader={reader} />
    ))}
  </ol>
);

const Group: FC<{ readonly group: AlertGroup; readonly reader: AlertReader }> = ({ group, reader }) => {
  const { head, alike, following } = group;
  const { alert, finding, firstRemedy, path } = head;
  const others = alike.length + following.length;
  return (
    <li id={elementId('alert', alert.id)} class={`alert severity-${alert.severity}`}>
      <p class="alert-head">
        <span class={`severity state-${alert.severity}`}>
          <Icon name={alert.severity} /> {SEVERITY_WORDS[alert.severity]}
        </span>{' '}
        <strong>{alert.headline}</strong> <Subject alert={alert} />{' '}
        {alike.length > 0 ? <span>and {formatThings(alike.length, 'other')}</span> : null}{' '}
        <span class="muted">
          {alert.ruleName} · {sinceInWords(alert, reader.nowMs)}
        </span>
      </p>
      <BriefLines {...alert} />
      {notesOf(head).map((note) => (
        <p class="muted">{note}</p>
      ))}
      <div class="alert-acts">
        {finding === null ? null : (
          <a class="alert-remedy" href={path}>
            {firstRemedy ?? finding.headline}
          </a>
        )}
        <Buttons group={group} reader={reader} />
        {alert.runbookUrl ? (
          <a href={alert.runbookUrl} rel="noreferrer">
            Runbook
          </a>
        ) : null}
      </div>
      {others > 0 ? (
        <details class="alert-others">
          <summary>
            {[
              alike.length > 0 ? `+${alike.length} alike` : '',
              following.length > 0 ? `+${following.length} that follow` : '',
            ]
              .filter(Boolean)
              .join(', ')}
          </summary>
          <AlertLines alerts={[...alike, ...following]} reader={reader} />
        </details>
      ) : null}
    </li>
  );
};

/** One press for all of the cause: who knows of one knows of what follows from it. */
const Buttons: FC<{ readonly group: AlertGroup; readonly reader: AlertReader }> = ({ group, reader }) => {
  if (!includesRole(reader.role, 'operator')) return null;
  const { head, alike } = group;
  const unknown = [head, ...alike].filter(({ alert }) => alert.acknowledged === null);
  const title = head.alert.headline;
  return (
    <>
      {unknown.length > 0 ? (
        <form method="post" action="/alerts/acknowledge">
          {unknown.map(({ alert }) => (
            <input type="hidden" name="alert" value={alert.id} />
          ))}
          <button type="submit" class="small-button" aria-label={`Acknowledge: ${title}`}>
            Acknowledge
          </button>
        </form>
      ) : null}
      {head.silence === null ? (
        <a
          class="small-button"
          href={`/alerts?${new URLSearchParams({ silence: head.alert.id })}#silence`}
          aria-label={`Silence: ${title}`}
        >
          Silence…
        </a>
      ) : null}
    </>
  );
};

/** A line each: what was, or what nobody is notified of by itself. */
export const AlertLines: FC<{ readonly alerts: readonly AlertView[]; readonly reader: AlertReader }> = ({
  alerts,
  reader,
}) => (
  <ol class="alert-lines">
    {alerts.map((view) => {
      const { alert } = view;
      return (
        <li id={elementId('alert', alert.id)}>
          <Icon name={alert.severity} /> <span class="visually-hidden">{SEVERITY_WORDS[alert.severity]}</span>{' '}
          <Time {...moment(alert.firedAtMs ?? alert.sinceMs, reader.nowMs)} />{' '}
          <strong>{alert.headline}</strong> <Subject alert={alert} />{' '}
          <span class="muted">
            {[lastedInWords(alert, reader.nowMs), ...notesOf(view)].filter(Boolean).join(' · ')}
          </span>
        </li>
      );
    })}
  </ol>
);

const Subject: FC<{ readonly alert: Alert }> = ({ alert }) => {
  const { instance, queue } = alert.subject;
  return (
    <a href={queue === null ? instancePath(instance) : queuePath(instance, queue)}>
      {plainName(subjectName(alert.subject))}
    </a>
  );
};

function sinceInWords({ state, sinceMs }: Alert, nowMs: number): string {
  const age = coarseAge((nowMs - sinceMs) / 1000, 5);
  return state === 'pending' ? `pending, holds for ${age}` : `for ${age}`;
}

function lastedInWords(alert: Alert, nowMs: number): string {
  const { state, sinceMs, resolvedAtMs } = alert;
  if (state !== 'resolved') return sinceInWords(alert, nowMs);
  return `lasted ${coarseAge(((resolvedAtMs ?? nowMs) - sinceMs) / 1000, 5)}`;
}

/** Who knows, what keeps it quiet, and whether it is known to be so now. */
function notesOf({ alert, silence }: AlertView): readonly string[] {
  const { state, acknowledged, seen } = alert;
  if (state === 'resolved') return [];
  const of = (text: string): string => (text === '' ? '' : `: ${plainSentence(text)}`);
  return [
    acknowledged ? `Acknowledged by ${plainName(acknowledged.actor)}${of(acknowledged.reason)}` : '',
    silence ? `Silenced by ${plainName(silence.author)}${of(silence.reason)}` : '',
    seen === 'unknown' ? 'Not known at the last look' : '',
  ].filter((note) => note !== '');
}
