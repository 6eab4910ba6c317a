import { NOT_TENANTS, OTHER_TENANTS } from '../model/tenant-text.js';
import { addTo, fade, type Moments, noMoments, type Stratum } from './stratum.js';

/** Tenants told apart in one state of a queue; the rest is counted together. */
const MAX_TENANTS = 100;
/** Looks are worth at most so many: more would only make it slow to notice what has changed. */
const MAX_WEIGHT = 600;
/** What has faded to this is as good as gone. */
const GONE_WEIGHT = 0.01;

/** What looks at the jobs of one state say of their tenants, faded as jobs come and go. */
export interface SampledTenants {
  isCensus: boolean;
  weight: number;
  weightSquared: number;
  readonly byTenant: Map<string, Moments>;
}

export function noTenants(): SampledTenants {
  return { isCensus: false, weight: 0, weightSquared: 0, byTenant: new Map() };
}

/** Takes one job in. */
export function addTenant(sampled: SampledTenants, tenant: string, bytes: number): void {
  sampled.weight += 1;
  sampled.weightSquared += 1;
  const { byTenant } = sampled;
  if (!byTenant.has(tenant) && !NOT_TENANTS.has(tenant) && namedIn(byTenant) >= MAX_TENANTS)
    moveLightest(byTenant);
  const moments = byTenant.get(tenant) ?? noMoments();
  addTo(moments, bytes);
  byTenant.set(tenant, moments);
  const over = sampled.weight / MAX_WEIGHT;
  if (over > 1) fadeTenants(sampled, 1 / over);
}

export function fadeTenants(sampled: SampledTenants, ratio: number): void {
  sampled.weight *= ratio;
  sampled.weightSquared *= ratio * ratio;
  for (const [tenant, moments] of sampled.byTenant) {
    fade(moments, ratio);
    if (moments.weight < GONE_WEIGHT) sampled.byTenant.delete(tenant);
  }
}

/** Kish: weights that fade are worth (Σw)² / Σw² independent looks. */
export function tenantLooks({ weight, weightSquared }: SampledTenants): number {
  return weightSquared > 0 ? (weight * weight) / weightSquared : 0;
}

/** @param keptRatio how much of what was seen still holds, 0..1. */
export function tenantStratum(sampled: SampledTenants, count: number, keptRatio: number): Stratum {
  return {
    count,
    weight: sampled.weight,
    effectiveSamples: tenantLooks(sampled) * keptRatio,
    isCensus: sampled.isCensus && keptRatio === 1,
  };
}

function namedIn(byTenant: ReadonlyMap<string, Moments>): number {
  let named = byTenant.size;
  for (const name of NOT_TENANTS) if (byTenant.has(name)) named -= 1;
  return named;
}

/**
 * The lightest gives its place up, so that a tenant who floods a queue of thousands of others is not left among them for
 * coming last (Metwally et al., Space-Saving, 2005; what is forgotten goes to the others here, so that no share is overrated).
 */
function moveLightest(byTenant: Map<string, Moments>): void {
  let lightest: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const [tenant, { weight }] of byTenant) {
    if (NOT_TENANTS.has(tenant) || weight >= least) continue;
    lightest = tenant;
    least = weight;
  }
  const moved = lightest === null ? undefined : byTenant.get(lightest);
  if (lightest === null || !moved) return;
  byTenant.delete(lightest);
  const others = byTenant.get(OTHER_TENANTS) ?? noMoments();
  others.weight += moved.weight;
  others.bytes += moved.bytes;
  others.bytesSquared += moved.bytesSquared;
  byTenant.set(OTHER_TENANTS, others);
}
