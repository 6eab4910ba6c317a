import type { FC } from 'hono/jsx';

export interface TenantRowProps {
  readonly tenant: string;
  /** Stands for several or for none, and is no tenant's name. */
  readonly isRest: boolean;
  readonly share: string;
  readonly jobs: string;
  readonly memory: string;
}

/** null: not configured, or not for this role; then only the place of the table is there. */
export interface TenantTableProps {
  readonly rows: readonly TenantRowProps[] | null;
}

/** Who has most of a queue's backlog, by a field of job data. */
export const TenantTable: FC<TenantTableProps> = ({ rows }) =>
  rows === null ? (
    <section id="tenants" hidden />
  ) : (
    <section id="tenants" class="panel" aria-labelledby="tenants-title">
      <h2 id="tenants-title">Tenants</h2>
      {rows.length === 0 ? (
        <p class="muted">No job waits or runs.</p>
      ) : (
        <table class="job-table">
          <thead>
            <tr>
              <th scope="col">Tenant</th>
              <th scope="col" class="number">
                Of the backlog
              </th>
              <th scope="col" class="number">
                Jobs
              </th>
              <th scope="col" class="number">
                Memory
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr>
                <th scope="row" data-label="Tenant" class={row.isRest ? 'muted' : undefined}>
                  {row.tenant}
                </th>
                <td class="number" data-label="Of the backlog">
                  {row.share}
                </td>
                <td class="number" data-label="Jobs">
                  {row.jobs}
                </td>
                <td class="number" data-label="Memory">
                  {row.memory}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
