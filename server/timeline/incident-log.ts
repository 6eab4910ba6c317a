import { desc, eq } from 'drizzle-orm';
import type { Database } from '../store/tables.js';
import type { IncidentLog } from './incident.js';
import { incidents } from './tables.js';

const MAX_LISTED = 200;

/** Incidents in the store. They are few and made by hand, so none is ever dropped. */
export function createIncidentLog(database: Database): IncidentLog {
  return {
    list: () =>
      database.select().from(incidents).orderBy(desc(incidents.fromMs), desc(incidents.id)).limit(MAX_LISTED),
    async get(id) {
      const [row] = await database.select().from(incidents).where(eq(incidents.id, id));
      return row ?? null;
    },
    async save(incident) {
      const { id: _, ...change } = incident;
      await database
        .insert(incidents)
        .values(incident)
        .onConflictDoUpdate({ target: incidents.id, set: change });
    },
    async remove(id) {
      const gone = await database
        .delete(incidents)
        .where(eq(incidents.id, id))
        .returning({ id: incidents.id });
      return gone.length > 0;
    },
  };
}
