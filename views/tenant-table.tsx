import type { FC } from 'hono/jsx';
import { formatCount, formatEstimate, formatRatio } from '../server/model/format.js';
import type { TenantShare } from '../server/model/job-type.js';
import { NO_TENANT, OTHER_TENANTS, UNREAD_TENANT } from '../server/model/tenant-text.js';
import { NumberCell, NumberHeading } from './controls.js';
import { UNKNOWN } from './words.js';

/** What stands for several or for none, and is no tenant's name. */
const REST_WORDS: Readonly<Record<string, string>> = {
  [OTHER_TENANTS]: 'all others',
  [NO_TENANT]: 'no tenant in the data',
  [UNREAD_TENANT]: 'not read: new, or data above 16 KB',
};

/**
 * Who has most of a queue's backlog, by a field of job data.
 * @param tenants null: not configured, or not for this role; then only the place of the table is there.
 */
export const TenantTable: FC<{ readonly tenants: readonly TenantShare[] | null }> = ({ tenants }) =>
  tenants === null ? (
    <section id="tenants" hidden />
  ) : (
    <section id="tenants" class="panel" aria-labelledby="tenants-title">
      <h2 id="tenants-title">Tenants</h2>
      {tenants.length === 0 ? (
        <p class="muted">No job waits or runs.</p>
      ) : (
        <table class="job-table">
          <thead>
            <tr>
              <th scope="col">Tenant</th>
              <NumberHeading label="Of the backlog" />
              <NumberHeading label="Jobs" />
              <NumberHeading label="Memory" />
            </tr>
          </thead>
          <tbody>
            {tenants.map((share) => (
              <TenantRow {...share} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );

const TenantRow: FC<TenantShare> = (share) => {
  const { tenant, jobs } = share;
  const isExact = jobs.low === jobs.value && jobs.high === jobs.value;
  const words = Object.hasOwn(REST_WORDS, tenant) ? REST_WORDS[tenant] : undefined;
  return (
    <tr>
      <th scope="row" data-label="Tenant" class={words === undefined ? undefined : 'muted'}>
        {words ?? tenant}
      </th>
      <NumberCell label="Of the backlog">{formatRatio(share.shareOfBacklog)}</NumberCell>
      <td class="number" data-label="Jobs">
        {formatCount(jobs.value)}
        {isExact ? '' : ` (${formatCount(jobs.low)} to ${formatCount(jobs.high)})`}
      </td>
      <td class="number" data-label="Memory">
        {/* What was not read has no size that is known. */}
        {share.bytes > 0 ? formatEstimate(share) : UNKNOWN}
      </td>
    </tr>
  );
};
