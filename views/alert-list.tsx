import type { FC } from 'hono/jsx';
import type { Brief } from '../server/model/brief.js';
import { BriefLines } from './brief-lines.js';
import { Icon } from './icon.js';
import { type Moment, Time } from './time.js';

export interface AlertProps {
  readonly id: string;
  readonly severity: 'critical' | 'warning' | 'info';
  readonly rule: string;
  readonly brief: Brief;
  readonly subject: { readonly text: string; readonly href: string };
  readonly evidence: string | null;
  readonly since: Moment;
  /** "fires for 2 min", "pends for 10 s", "lasted 3 min". */
  readonly age: string;
  /** What keeps it from being told, or who knows: "Acknowledged by ann", "Explained by Redis is full". */
  readonly notes: readonly string[];
  readonly remedy: { readonly text: string; readonly href: string } | null;
  readonly runbookUrl: string | null;
  /** null: nobody may, or somebody has. */
  readonly acknowledgeAction: string | null;
  readonly silenceHref: string | null;
}

const SEVERITY_WORDS = { critical: 'Critical', warning: 'Warning', info: 'Info' } as const;

/** Alerts in words, worst first. */
export const AlertList: FC<{ readonly alerts: readonly AlertProps[]; readonly none: string }> = ({
  alerts,
  none,
}) =>
  alerts.length === 0 ? (
    <p class="muted">{none}</p>
  ) : (
    <ol class="alerts">
      {alerts.map((alert) => (
        <AlertItem {...alert} />
      ))}
    </ol>
  );

/** Those that nobody is told of by themselves, a line each. */
export const FollowerList: FC<{ readonly alerts: readonly AlertProps[] }> = ({ alerts }) => (
  <ol class="alert-followers">
    {alerts.map((alert) => (
      <li id={alert.id}>
        <Icon name={alert.severity} /> <span class="visually-hidden">{SEVERITY_WORDS[alert.severity]}</span>{' '}
        <strong>{alert.brief.headline}</strong>
        {alert.evidence ? `, ${alert.evidence}` : ''}{' '}
        <span class="muted">
          {alert.age}. {alert.notes.join(' ')}
        </span>
      </li>
    ))}
  </ol>
);

const AlertItem: FC<AlertProps> = (alert) => (
  <li id={alert.id} class={`alert severity-${alert.severity}`}>
    <p class="alert-head">
      <span class={`severity state-${alert.severity}`}>
        <Icon name={alert.severity} /> {SEVERITY_WORDS[alert.severity]}
      </span>{' '}
      <strong>{alert.brief.headline}</strong> <a href={alert.subject.href}>{alert.subject.text}</a>{' '}
      <span class="muted">
        {alert.rule} · {alert.age} · since <Time {...alert.since} />
      </span>
    </p>
    <BriefLines {...alert.brief} />
    {alert.evidence ? <p class="muted">{alert.evidence}</p> : null}
    {alert.notes.map((note) => (
      <p class="muted">{note}</p>
    ))}
    <div class="alert-acts">
      {alert.remedy ? (
        <a class="alert-remedy" href={alert.remedy.href}>
          {alert.remedy.text}
        </a>
      ) : null}
      {alert.runbookUrl ? (
        <a href={alert.runbookUrl} rel="noreferrer">
          Runbook
        </a>
      ) : null}
      {alert.silenceHref ? (
        <a class="small-button" href={alert.silenceHref} aria-label={`Silence: ${alert.brief.headline}`}>
          Silence…
        </a>
      ) : null}
      {alert.acknowledgeAction ? (
        <form method="post" action={alert.acknowledgeAction}>
          <button type="submit" class="small-button" aria-label={`Acknowledge: ${alert.brief.headline}`}>
            Acknowledge
          </button>
        </form>
      ) : null}
    </div>
  </li>
);
