import type { TenantShare } from '../model/job-type.js';
import { NO_TENANT, NOT_TENANTS, OTHER_TENANTS, UNREAD_TENANT } from '../model/tenant-text.js';
import {
  addToSample,
  estimateBytes,
  fadeSample,
  type JobSample,
  type Moments,
  noMoments,
  shareRange,
  stratumOf,
} from './sampled-state.js';

/** Tenants kept apart in one state of a queue; the rest is counted together. */
const MAX_TENANTS = 100;
/** Looks are worth at most so many: more would only make it slow to notice what has changed. */
const MAX_WEIGHT = 600;

/** Takes one job in. */
export function addTenant(sample: JobSample, tenant: string, bytes: number): void {
  const { parts } = sample;
  if (!parts.has(tenant) && !NOT_TENANTS.has(tenant) && namedIn(parts) >= MAX_TENANTS) moveLightest(parts);
  addToSample(sample, tenant, bytes);
  const over = sample.all.weight / MAX_WEIGHT;
  if (over > 1) fadeSample(sample, 1 / over);
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

/** Tenants shown by name. */
const MAX_SHOWN = 10;

/** One state of a queue with what is known of its tenants. */
interface Looked {
  readonly count: number;
  /** null: nobody has looked at its jobs. */
  readonly sampled: JobSample | null;
  /** How much of what was seen still holds, 0..1. */
  readonly keptRatio: number;
}

interface Part {
  readonly tenant: string;
  readonly jobs: number;
  /** How far the truth may lie below `jobs`, and above. */
  readonly below: number;
  readonly above: number;
  readonly bytes: number;
  readonly errorBytes: number;
}

/**
 * Shares of a queue's tenants over its states. Jobs of a state that nobody has looked at yet are nobody's, so that no tenant
 * is taken for the largest by what is left out.
 * @returns the ten with most jobs, most first; then all others together, jobs without a tenant and jobs that were not read,
 * where there are any.
 */
export function tenantSharesOf(states: readonly Looked[]): readonly TenantShare[] {
  const total = states.reduce((sum, { count }) => sum + count, 0);
  const parts = new Map<string, Part>();
  for (const part of states.flatMap(partsOf)) {
    const before = parts.get(part.tenant);
    parts.set(part.tenant, before ? together(part.tenant, [before, part]) : part);
  }
  const named = [...parts.values()]
    .filter(({ tenant }) => !NOT_TENANTS.has(tenant))
    .sort((a, b) => b.jobs - a.jobs || (a.tenant < b.tenant ? -1 : 1));
  const known = parts.get(OTHER_TENANTS);
  const others = [...named.slice(MAX_SHOWN), ...(known ? [known] : [])];
  const rest = [
    ...(others.length > 0 ? [together(OTHER_TENANTS, others)] : []),
    ...[NO_TENANT, UNREAD_TENANT].flatMap((tenant) => parts.get(tenant) ?? []),
  ];
  return [...named.slice(0, MAX_SHOWN), ...rest].map((part) => shareOf(part, total));
}

function partsOf({ count, sampled, keptRatio }: Looked): readonly Part[] {
  const isKnown = sampled !== null && sampled.all.weight > 0;
  const known = isKnown ? count * keptRatio : 0;
  // What has come since may be anybody's.
  const unread = { tenant: UNREAD_TENANT, jobs: count - known, below: 0, above: 0, bytes: 0, errorBytes: 0 };
  if (!isKnown || known === 0) return [unread];
  const all = stratumOf(sampled, known);
  const stratum = {
    ...all,
    effectiveSamples: all.effectiveSamples * keptRatio,
    isCensus: all.isCensus && keptRatio === 1,
  };
  const parts = [...sampled.parts].map(([tenant, moments]) => {
    const { share, low, high } = shareRange(stratum, moments.weight);
    const { bytes, errorBytes } = estimateBytes(stratum, moments);
    // Of few jobs of one size the spread is not known: there are at least as many bytes in doubt as jobs are.
    const inDoubt = (bytes / share) * Math.max(share - low, high - share);
    return {
      tenant,
      jobs: share * known,
      below: (share - low) * known,
      above: (high - share) * known,
      bytes,
      errorBytes: Math.max(errorBytes, inDoubt),
    };
  });
  return unread.jobs > 0 ? [...parts, unread] : parts;
}

/** Errors of independent samples add up as squares. */
function together(tenant: string, parts: readonly Part[]): Part {
  const sum = (read: (part: Part) => number): number => parts.reduce((all, part) => all + read(part), 0);
  return {
    tenant,
    jobs: sum(({ jobs }) => jobs),
    below: Math.hypot(...parts.map(({ below }) => below)),
    above: Math.hypot(...parts.map(({ above }) => above)),
    bytes: sum(({ bytes }) => bytes),
    errorBytes: Math.hypot(...parts.map(({ errorBytes }) => errorBytes)),
  };
}

function shareOf(part: Part, total: number): TenantShare {
  const { tenant, jobs, below, above } = part;
  return {
    tenant,
    jobs: {
      value: Math.round(jobs),
      low: Math.max(0, Math.floor(jobs - below)),
      high: Math.min(total, Math.ceil(jobs + above)),
    },
    bytes: Math.round(part.bytes),
    errorBytes: Math.round(part.errorBytes),
    shareOfBacklog: total > 0 ? jobs / total : 0,
  };
}
