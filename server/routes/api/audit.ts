import { z } from '@hono/zod-openapi';
import { AuditRecordSchema } from '../../model/audit-record.js';
import { jsonWriter } from '../../model/json.js';
import type { Parking } from '../../model/parking.js';
import { type Actor, type ChangeBy, includesRole } from '../../model/role.js';
import { ALL_INSTANCES } from '../../model/timeline-entry.js';
import { auditOf } from '../../timeline/audit-log.js';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';
import { apiPart, jsonRoute, limitOf } from './env.js';

/** Keeps who began, changed or restored a parking by the API, and why; under the names of its actions. */
export async function auditParking(
  deps: Pick<AppDeps, 'newId' | 'now' | 'audit'>,
  actor: Actor,
  reason: string,
  parking: Parking,
  summary: string,
): Promise<void> {
  const { id, instance, queue, phase, remaining, state } = parking;
  const isParked = phase === 'park';
  const record = auditOf(deps.newId(), deps.now(), actor, {
    reason,
    action: isParked ? 'queue.park' : 'queue.unpark',
    instance,
    queue,
    args: { parking: id },
    // One that has just begun has taken none yet, which is not what it came to.
    after: isParked && state === 'running' && remaining === 0 ? {} : { 'parked jobs': String(remaining) },
    summary,
    undo: isParked ? { action: 'queue.unpark', instance, queues: [queue], args: { parking: id } } : null,
  });
  await deps.audit.append(record);
}

/** What somebody did that no action does: a canary job, a count, a test of a channel, a message sent again or forgotten. */
interface OwnAct {
  readonly action:
    | 'queue.canary'
    | 'queue.count'
    | 'queue.stop-count'
    | 'channel.test'
    | 'outbox.resend'
    | 'outbox.remove'
    | 'session.end';
  /** Absent: about the console. */
  readonly instance?: string;
  readonly queue?: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly summary: string;
  /** Absent: it was. */
  readonly isDone?: boolean;
  /** Absent: done at once. */
  readonly durationMs?: number;
}

/** Keeps who did it and what came of it. A store that can't keep it is shown elsewhere, and undoes nothing. */
export async function auditOwn(
  deps: Pick<AppDeps, 'newId' | 'now' | 'audit'>,
  { actor, reason = '' }: ChangeBy,
  act: OwnAct,
): Promise<void> {
  const { action, args, summary, durationMs = 0, isDone = true } = act;
  const record = auditOf(deps.newId(), deps.now(), actor, {
    action,
    reason,
    instance: act.instance ?? ALL_INSTANCES,
    queue: act.queue ?? null,
    args,
    status: isDone ? 'applied' : 'failed',
    summary,
    durationMs,
  });
  await deps.audit.append(record).catch(() => undefined);
}

const listRoute = jsonRoute(
  'get /audit',
  'Every change and every attempt at one, newest first',
  z.object({ nextCursor: z.string().nullable(), records: z.array(AuditRecordSchema) }),
  {
    query: z.object({
      instance: z.string().optional(),
      queue: z.string().optional(),
      action: z
        .string()
        .max(200, 'is too long')
        .optional()
        .describe(
          'One, or what stands before a dot in several. `access`: sign-ins, wrong tokens and refused changes, which are listed only where they are asked for, to operators',
        ),
      cursor: z.string().optional().describe('id of the last action of the page before'),
      limit: limitOf(500, 100),
    }),
  },
);

const writeAll = jsonWriter(z.array(AuditRecordSchema));

export function auditApi(deps: Pick<AppDeps, 'audit'>) {
  return apiPart().openapi(listRoute, async (c) => {
    const { instance, queue, action, cursor, limit } = c.req.valid('query');
    if (action?.split('.')[0] === 'access' && !includesRole(c.get('actor').role, 'operator'))
      throw new Problem(403, 'forbidden', 'action: who came through the door is shown to operators');
    const records = await deps.audit.list({
      limit,
      ...(instance === undefined ? {} : { instance }),
      ...(queue === undefined ? {} : { queue }),
      ...(action === undefined ? {} : { action }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    const last = records.length === limit ? records[records.length - 1] : undefined;
    return c.json({ nextCursor: last?.id ?? null, records: writeAll(records) }, 200);
  });
}
