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
    <table class="job-table rules">
      <thead>
        <tr>
          <th scope="col">Rule</th>
          <th scope="col">Severity</th>
          <th scope="col">When</th>
          <th scope="col">About</th>
          <th scope="col" class="number">
            For
          </th>
          <th scope="col" class="number">
            Firing
          </th>
          <th scope="col">From</th>
        </tr>
      </thead>
      <tbody>
        {rules.map((rule) => (
          <tr class={rule.isEnabled ? '' : 'is-off'}>
            <th scope="row" data-label="Rule">
              <a href={rule.href}>{rule.name}</a>
              {rule.isEnabled ? '' : ' (off)'}
            </th>
            <td data-label="Severity">{rule.severity}</td>
            <td class="is-whole" data-label="When">
              {rule.condition}
            </td>
            <td data-label="About">{rule.scope}</td>
            <td class="number" data-label="For">
              {rule.patience}
            </td>
            <td class={rule.firing === '0' ? 'number is-none' : 'number is-firing'} data-label="Firing">
              {rule.firing}
            </td>
            <td data-label="From">{rule.source}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);
