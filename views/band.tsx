import type { FC } from 'hono/jsx';
import { Icon, type IconName } from './icon.js';

export type State = 'critical' | 'warning' | 'info' | 'calm' | 'blind';

export interface BarMark {
  /** 0..100 on the bar. */
  readonly atPercent: number;
  readonly label: string;
  readonly isLimit: boolean;
}

export interface BarProps {
  /** 0..100: what is used within the limit, and what is used over it. */
  readonly usedPercent: number;
  readonly overPercent: number;
  readonly state: State;
  readonly marks: readonly BarMark[];
  /** The same in words. */
  readonly text: string;
}

export interface Fact {
  readonly label: string;
  readonly value: string;
  /** Drawn where the value is itself a reason to look. */
  readonly state?: State;
  readonly hint?: string;
}

export interface BandProps {
  readonly id: string;
  readonly name: string;
  readonly href: string;
  /** "127.0.0.1:6379 · Redis 7.0.15 · single" */
  readonly about: string;
  readonly state: State;
  readonly verdict: string;
  /** What to read first, large: "full in 3 min 10 s", "83%". */
  readonly headline: string;
  readonly bar: BarProps | null;
  readonly facts: readonly Fact[];
  readonly notices: readonly string[];
}

const STATE_ICON: Readonly<Record<State, IconName>> = {
  critical: 'critical',
  warning: 'warning',
  info: 'info',
  calm: 'calm',
  blind: 'blind',
};

/** What one Redis comes to, at a glance: how full, how fast, until when, and in words. */
export const Band: FC<BandProps> = ({
  id,
  name,
  href,
  about,
  state,
  verdict,
  headline,
  bar,
  facts,
  notices,
}) => (
  <section id={id} class={`band state-${state}`} aria-label={`Redis ${name}`}>
    <div class="band-head">
      <h2 class="band-name">
        <a href={href}>{name}</a> <span class="band-about">{about}</span>
      </h2>
      <p class="band-verdict">
        <StateIcon state={state} /> {verdict}
      </p>
      <p class="band-headline">{headline}</p>
    </div>
    {bar ? <MemoryBar {...bar} /> : <div class="bar-none" />}
    <Facts facts={facts} />
    {notices.map((notice) => (
      <p class="band-notice">
        <Icon name="info" /> {notice}
      </p>
    ))}
  </section>
);

export const StateIcon: FC<{ readonly state: State }> = ({ state }) => (
  <span class={`state-icon state-${state}`}>
    <Icon name={STATE_ICON[state]} />
  </span>
);

export const Facts: FC<{ readonly facts: readonly Fact[] }> = ({ facts }) => (
  <dl class="facts">
    {facts.map((fact) => (
      <div class={fact.state ? `fact state-${fact.state}` : 'fact'} title={fact.hint}>
        <dt>{fact.label}</dt>
        <dd>{fact.value}</dd>
      </div>
    ))}
  </dl>
);

/** Used memory on a scale that ends at the limit or at what is used, whichever is more. */
export const MemoryBar: FC<BarProps> = ({ usedPercent, overPercent, state, marks, text }) => (
  <div class="bar">
    <svg class={`bar-drawing bar-${state}`} width="100%" height="22" role="img" aria-label={text}>
      <rect class="bar-track" width="100%" height="22" rx="3" />
      <rect class="bar-used" width={`${usedPercent}%`} height="22" rx="3" />
      {overPercent > 0 ? (
        <rect
          class="bar-over"
          x={`${usedPercent}%`}
          width={`${overPercent}%`}
          height="22"
          fill="url(#hatch)"
        />
      ) : null}
      {marks.map((mark) => (
        <line
          class={mark.isLimit ? 'bar-mark is-limit' : 'bar-mark'}
          x1={`${mark.atPercent}%`}
          x2={`${mark.atPercent}%`}
          y1="0"
          y2="22"
        />
      ))}
    </svg>
    <svg class="bar-labels" width="100%" height="15" aria-hidden="true">
      {marks.map((mark) => (
        <text
          x={`${mark.atPercent}%`}
          y="12"
          text-anchor={mark.isLimit ? 'end' : 'middle'}
          class={mark.isLimit ? 'is-limit' : undefined}
        >
          {mark.label}
        </text>
      ))}
    </svg>
  </div>
);
