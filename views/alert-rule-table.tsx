import type { FC } from 'hono/jsx';

export interface RuleRowProps {
  readonly name: string;
  readonly href: string;
  readonly isEnabled: boolean;
  readonly severity: string;
  /** When it fires, in plain words: "queue backlog > 1,000 jobs for 60 s". */
  readonly when: string;
  readonly scope: string;
  readonly source: string;
  readonly firing: number;
}

export const RuleTable: FC<{ readonly rules: readonly RuleRowProps[] }> = ({ rules }) => (
  <section class="table-scroll" aria-label="Table of rules" tabindex={0}>
    <table class="job-table rules">
      <thead>
        <tr>
          <th scope="col">Rule</th>
          <th scope="col">Fires when</th>
          <th scope="col">Severity</th>
          <th scope="col">Scope</th>
          <th scope="col" class="number">
            Firing
          </th>
          <th scope="col">Source</th>
        </tr>
      </thead>
      <tbody>
        {rules.map((rule) => (
          <tr class={rule.isEnabled ? '' : 'is-off'}>
            <th scope="row" data-label="Rule">
              <a href={rule.href}>{rule.name}</a>
              {rule.isEnabled ? '' : ' (off)'}
            </th>
            <td class="is-whole" data-label="Fires when">
              {rule.when}
            </td>
            <td data-label="Severity">{rule.severity}</td>
            <td data-label="Scope">{rule.scope}</td>
            <td class={rule.firing === 0 ? 'number is-none' : 'number is-firing'} data-label="Firing">
              {rule.firing}
            </td>
            <td data-label="Source">{rule.source}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);
