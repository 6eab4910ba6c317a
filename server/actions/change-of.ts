import { rateLimitAfter } from '../forecast/able-workers.js';
import type { PlanBasis } from '../forecast/input-of.js';
import type { PlanChange } from '../model/plan.js';
import type { Snapshot } from '../model/snapshot.js';
import type { KeptOrder } from '../model/worker.js';
import { concurrencySchema } from './concurrency.js';
import { listeners } from './give-order.js';
import { limitOf, rateLimitSchema } from './rate-limit.js';
import { slotsAfter, slotsOrdered } from './slots-for-all.js';
import { workersSchema } from './workers-concurrency.js';

type Told = (args: unknown, basis: PlanBasis, snapshot: Snapshot) => PlanChange | null;

/** By what is known already, without asking Redis: for while a number is still being typed. */
const CHANGES: Readonly<Record<string, Told>> = {
  'workers.concurrency': (args, basis, snapshot) => {
    const parsed = workersSchema.safeParse(args);
    if (!parsed.success) return null;
    const standing: readonly KeptOrder[] = basis.queue.overrides;
    const workers = listeners(basis.queue.id, snapshot, snapshot.atMs);
    const ordered = slotsOrdered(parsed.data, basis.queue, workers, standing, basis);
    return 'why' in ordered ? null : slotsAfter(basis.workers, ordered.value, standing);
  },
  'queue.concurrency': (args) => {
    const parsed = concurrencySchema.safeParse(args);
    return parsed.success ? { globalConcurrency: parsed.data.value } : null;
  },
  'queue.rate-limit': (args, basis) => {
    const parsed = rateLimitSchema.safeParse(args);
    return parsed.success ? { rateLimit: rateLimitAfter(limitOf(parsed.data), basis) } : null;
  },
};

/** Actions of which it can be told before they are asked. */
export function hasForecast(action: string): boolean {
  return action in CHANGES;
}

/** What an action with these arguments would change of a queue; null: they are wrong, or it is not known. Pure. */
export function changeOf(
  action: string,
  args: unknown,
  basis: PlanBasis,
  snapshot: Snapshot,
): PlanChange | null {
  return CHANGES[action]?.(args, basis, snapshot) ?? null;
}
