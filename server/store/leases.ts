import { and, eq, sql } from 'drizzle-orm';
import type { Database } from './database.js';
import type { LeaseStore } from './lease.js';
import { leases } from './tables.js';

/** Leases in the store. Each change is one statement, so it holds for all processes that share the file. */
export function createLeaseStore(database: Database): LeaseStore {
  const ownedBy = (name: string, holder: string) => and(eq(leases.name, name), eq(leases.holder, holder));
  return {
    async read(name) {
      const [row] = await database
        .select({ holder: leases.holder, beat: leases.beat })
        .from(leases)
        .where(eq(leases.name, name));
      return row ?? null;
    },
    async take(name, holder, seen) {
      const taken =
        seen === null
          ? await database
              .insert(leases)
              .values({ name, holder, beat: 0 })
              .onConflictDoNothing()
              .returning({ name: leases.name })
          : await database
              .update(leases)
              .set({ holder, beat: seen.beat + 1 })
              .where(and(ownedBy(name, seen.holder), eq(leases.beat, seen.beat)))
              .returning({ name: leases.name });
      return taken.length === 1;
    },
    async renew(name, holder) {
      const renewed = await database
        .update(leases)
        .set({ beat: sql`${leases.beat} + 1` })
        .where(ownedBy(name, holder))
        .returning({ name: leases.name });
      return renewed.length === 1;
    },
    async release(name, holder) {
      await database.update(leases).set({ holder: '' }).where(ownedBy(name, holder));
    },
  };
}
