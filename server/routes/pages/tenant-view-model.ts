import type { TenantRowProps, TenantTableProps } from '../../../views/tenant-table.js';
import { formatCount, formatEstimate, formatRatio } from '../../model/format.js';
import type { TenantShare } from '../../model/tenant-share.js';
import { NO_TENANT, OTHER_TENANTS, UNREAD_TENANT } from '../../model/tenant-text.js';

const WORDS: Readonly<Record<string, string>> = {
  [OTHER_TENANTS]: 'all others',
  [NO_TENANT]: 'no tenant in the data',
  [UNREAD_TENANT]: 'not read: new, or data above 16 KB',
};

/** @param showsData tenants are text from job data: roles that may not see those see no table. */
export function tenantTableOf(tenants: readonly TenantShare[] | null, showsData: boolean): TenantTableProps {
  return { rows: showsData && tenants ? tenants.map(rowOf) : null };
}

function rowOf(share: TenantShare): TenantRowProps {
  const { tenant, jobs } = share;
  const isExact = jobs.low === jobs.value && jobs.high === jobs.value;
  const words = Object.hasOwn(WORDS, tenant) ? WORDS[tenant] : undefined;
  return {
    tenant: words ?? tenant,
    isRest: words !== undefined,
    share: formatRatio(share.shareOfBacklog),
    jobs: isExact
      ? formatCount(jobs.value)
      : `${formatCount(jobs.value)} (${formatCount(jobs.low)} to ${formatCount(jobs.high)})`,
    // What was not read has no size that is known.
    memory: share.bytes > 0 ? formatEstimate(share) : '–',
  };
}
