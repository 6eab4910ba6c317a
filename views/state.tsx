import type { FC } from 'hono/jsx';
import { SignalMark } from './docs-mark.js';
import { Icon, type IconName } from './icon.js';

/** How bad it is, as everything on a page is coloured and marked. */
export type State = 'critical' | 'warning' | 'info' | 'calm' | 'blind';

/** Each state's own shape. */
export const StateIcon: FC<{ readonly state: State }> = ({ state }) => (
  <span class={`state-icon state-${state}`}>
    <Icon name={state satisfies IconName} />
  </span>
);

export interface Fact {
  readonly label: string;
  readonly value: string;
  /** Drawn where the value is itself a reason to look. */
  readonly state?: State;
  readonly hint?: string;
  /** The signal that it is, whose page says what it means. */
  readonly signal?: string;
}

export const Facts: FC<{ readonly facts: readonly Fact[] }> = ({ facts }) => (
  <dl class="facts">
    {facts.map((fact) => (
      <div class={fact.state ? `fact state-${fact.state}` : 'fact'} title={fact.hint}>
        <dt>
          {fact.label}
          <SignalMark name={fact.signal} />
        </dt>
        <dd>{fact.value}</dd>
      </div>
    ))}
  </dl>
);
