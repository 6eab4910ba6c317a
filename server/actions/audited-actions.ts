import type { AuditLog, AuditRecord } from '../model/audit-record.js';
import type { Acted } from '../model/snapshot.js';
import { every, type Loop } from '../process/every.js';
import type { Watch } from '../watch/watch.js';

/** Two people at two consoles see each other's actions within this. */
const READ_EVERY_MS = 3_000;
/** For so long what was done keeps it from being offered again. */
const LOOK_BACK_MS = 600_000;
/** More than a handful of people do in that time. */
const MAX_READ = 200;

/**
 * Tells what the audit holds of the last minutes: what another console on the store has just done, or this one before it was
 * started, is not offered again if it brought nothing. One bounded read of an index.
 */
export function followAudit(
  deps: { readonly watch: Watch; readonly audit: AuditLog; readonly now: () => number },
  onProblem: (error: unknown) => void,
): Loop {
  return every(
    READ_EVERY_MS,
    async () => {
      const records = await deps.audit.list({ sinceMs: deps.now() - LOOK_BACK_MS, limit: MAX_READ });
      for (const { instance } of deps.watch.snapshots())
        deps.watch.noteAudited(
          instance,
          records.filter((record) => record.instance === instance).map(actedOf),
        );
    },
    onProblem,
  );
}

function actedOf({ atMs, durationMs, action, queue, args, status, freedBytes }: AuditRecord): Acted {
  return {
    ...{ atMs: atMs + durationMs, action, queue, args, freedBytes },
    isChange: status === 'applied' || status === 'unverified',
  };
}
