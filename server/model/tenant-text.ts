import type { TenantShare } from './job-type.js';

/** Jobs whose data do not name a tenant: no such field, an object in its place, or data that are not JSON. */
export const NO_TENANT = '(none)';
/** Jobs whose data were not read, as they are too large. */
export const UNREAD_TENANT = '(unread)';
/** All tenants together that are not shown by name. */
export const OTHER_TENANTS = '(other)';

/** What stands in the place of a tenant's name without being one. */
export const NOT_TENANTS: ReadonlySet<string> = new Set([NO_TENANT, UNREAD_TENANT, OTHER_TENANTS]);

const MAX_FIELD_PARTS = 4;
const MAX_PART_CHARS = 64;
const MAX_CHARS = 80;
/** Characters that a page can't show, or that turn what stands beside them around (Unicode TR 9). */
const UNSHOWABLE = /[\p{Cc}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * The keys that lead to the tenant in a job's data: `customer.id` → customer, id.
 * @returns null where the text is not one to four keys of 1 to 64 characters, joined by dots.
 */
export function parseTenantField(field: string): readonly string[] | null {
  const parts = field.split('.');
  const isFine = parts.every((part) => part.trim() === part && part !== '' && part.length <= MAX_PART_CHARS);
  return isFine && parts.length <= MAX_FIELD_PARTS && field.search(UNSHOWABLE) === -1 ? parts : null;
}

/**
 * The tenant that a job's data name, as text of at most 80 characters; NO_TENANT where they name none. Data are the work of
 * strangers: whatever they hold, this returns.
 * @param data JSON as BullMQ keeps it.
 */
export function tenantIn(data: string, path: readonly string[]): string {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return NO_TENANT;
  }
  for (const key of path) {
    // Own keys only: `__proto__` and `constructor` are keys like others, and not those of every object.
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return NO_TENANT;
    value = Reflect.get(value, key);
  }
  return tenantText(value);
}

function tenantText(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return NO_TENANT;
  const characters = [...String(value).replace(UNSHOWABLE, '\ufffd').trim()];
  const text =
    characters.length > MAX_CHARS ? `${characters.slice(0, MAX_CHARS - 1).join('')}…` : characters.join('');
  // A tenant of such a name must not pass for all others.
  return text === '' ? NO_TENANT : NOT_TENANTS.has(text) ? `"${text}"` : text;
}

interface DominantTenant {
  readonly tenant: string;
  /** Of the jobs that wait or run, 0..1. */
  readonly shareRatio: number;
  /** The truth is at least `shareRatio` − `error`, in 95 of 100 cases. */
  readonly error: number;
}

/** From this share on the rest of all tenants together have less. */
const DOMINANT_RATIO = 0.5;

/**
 * The tenant that surely holds half of a queue's backlog or more: its share less the error is at least 0.5.
 * @param tenants of QueueState; null: not configured.
 * @returns null where there is none, or where too few jobs were looked at to be sure.
 */
export function dominantTenant(tenants: readonly TenantShare[] | null): DominantTenant | null {
  for (const { tenant, jobs, shareOfBacklog } of tenants ?? []) {
    if (NOT_TENANTS.has(tenant) || jobs.value <= 0) continue;
    const error = shareOfBacklog * (1 - jobs.low / jobs.value);
    if (shareOfBacklog - error >= DOMINANT_RATIO) return { tenant, shareRatio: shareOfBacklog, error };
  }
  return null;
}
