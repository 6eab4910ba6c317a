import type { FC } from 'hono/jsx';

export interface RuleRowProps {
  readonly name: string;
  readonly href: string;
  readonly isEnabled: boolean;
  readonly severity: string;
  /** The condition in words. */
  readonly condition: string;
  readonly scope: string;
  readonly patience: string;
  readonly source: string;
  readonly firing: string;
}

export const RuleTable: FC<{ readonly rules: readonly RuleRowProps[] }> = ({ rules }) => (
  <section class="table-scroll" aria-label="Table of rules" tabindex={0}>
    <table class="rules">
      <thead>
        <tr>
          <th scope="col">Rule</th>
          <th scope="col">Severity</th>
          <th scope="col">When</th>
          <th scope="col">About</th>
          <th scope="col">For</th>
          <th scope="col">Firing</th>
          <th scope="col">From</th>
        </tr>
      </thead>
      <tbody>
        {rules.map((rule) => (
          <tr class={rule.isEnabled ? '' : 'is-off'}>
            <th scope="row">
              <a href={rule.href}>{rule.name}</a>
              {rule.isEnabled ? '' : ' (off)'}
            </th>
            <td>{rule.severity}</td>
            <td>{rule.condition}</td>
            <td>{rule.scope}</td>
            <td>{rule.patience}</td>
            <td>{rule.firing}</td>
            <td>{rule.source}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);
