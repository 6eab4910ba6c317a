import { z } from '@hono/zod-openapi';
import type { TenantShare } from '../../model/job-type.js';

const EstimateSchema = z
  .object({ value: z.number(), low: z.number(), high: z.number() })
  .openapi({ description: 'The truth lies from low to high in 95 of 100 cases' });

export const TenantsSchema = z
  .array(
    z
      .object({
        tenant: z
          .string()
          .openapi({ description: 'From job data, or one of (other), (none) and (unread: data too large)' }),
        jobs: EstimateSchema,
        bytes: z.number(),
        errorBytes: z.number(),
        shareOfBacklog: z.number().openapi({ description: 'Of the jobs that wait or run, 0 to 1' }),
      })
      .openapi('TenantShare'),
  )
  .nullable()
  .openapi({
    description:
      'Most jobs first. null: tenantField is not configured, nothing is sampled yet, or your role may not see job data',
  });

/** Tenants are job data: null for roles that may not see those. */
export function presentTenants(
  tenants: readonly TenantShare[] | null,
  showsData: boolean,
): z.infer<typeof TenantsSchema> {
  if (!showsData || tenants === null) return null;
  return tenants.map((share) => ({ ...share, jobs: { ...share.jobs } }));
}
