import { z } from '@hono/zod-openapi';
import { shownTo } from '../../findings/track.js';
import { BriefSchema } from '../../model/brief.js';
import { type Finding, keyNumbers, type Remedy } from '../../model/finding.js';
import { isoTime, jsonWriter, TimeSchema } from '../../model/json.js';
import { includesRole, type Role } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';

export const RemedySchema = z
  .object({
    action: z.string(),
    label: z.string(),
    effect: z.string(),
    queues: z.array(z.string()),
    workers: z.array(z.string()),
    args: z.record(z.string(), z.unknown()),
    predictedFreedBytes: z.number().nullable(),
    suffices: z
      .boolean()
      .nullable()
      .describe(
        'Does it alone reach the aim: writes pass for ten minutes, or the queue drains? null: not known',
      ),
    lastsSeconds: z
      .number()
      .nullable()
      .describe(
        'Until Redis is full again at the growth that is expected, 0: it stays full; null: it lasts, or (suffices is null) it is not known',
      ),
  })
  .openapi('Remedy', {
    description: 'An action with its arguments filled in: send it to POST /api/v1/actions/{action}.',
  });

export const FindingSchema = z
  .object({
    code: z.string().openapi({ example: 'redis.full' }),
    severity: z.enum(['critical', 'warning', 'info']),
    instance: z.string(),
    queue: z.string().nullable(),
    queues: z.array(z.string()).describe('All queues it is about, worst first, at most 100.'),
    node: z.string().nullable(),
    worker: z.string().nullable(),
    jobType: z.string().nullable().describe('With `queue`: the job type that it is about.'),
    key: z.string(),
    ...BriefSchema.shape,
    detail: z.string().nullable().describe('How it works, how it is known, and what is not'),
    since: TimeSchema,
    lastSeen: TimeSchema.nullable().describe('Set where the console can’t see now: it was so at this time.'),
    evidence: z
      .array(
        z.object({
          name: z.string().openapi({
            example: 'oldest-waited',
            description: 'Stays the same whatever the label says. Pieces of a list may share one.',
          }),
          label: z.string(),
          isKey: z.boolean().describe('One of the four at most that are shown at once'),
          value: z.union([z.number(), z.string()]),
          unit: z.string().nullable(),
          error: z
            .number()
            .nullable()
            .describe('Of an estimate: the truth lies within ± this in 95 of 100 cases.'),
        }),
      )
      .describe('What matters most first.'),
    remedies: z
      .array(RemedySchema)
      .describe('Those that suffice first, the least harmful of them at the top.'),
    next: RemedySchema.nullable().describe('What comes after the first remedy.'),
    explains: z
      .array(
        z.object({
          code: z.string().openapi({ example: 'queue.overloaded' }),
          queue: z.string().nullable(),
          jobType: z.string().nullable(),
          headline: z.string(),
        }),
      )
      .describe('Findings that follow from this one and so are not listed by themselves, worst first.'),
  })
  .openapi('Finding');

const write = jsonWriter(FindingSchema);
const writeRemedy = jsonWriter(RemedySchema);

/** Findings as a role may see them, worst first. */
export function findingsFor(
  deps: Pick<AppDeps, 'watch' | 'jobDataRole'>,
  role: Role,
  isWanted: (finding: Finding) => boolean = () => true,
): z.infer<typeof FindingSchema>[] {
  const showsData = includesRole(role, deps.jobDataRole);
  return deps.watch
    .findings()
    .filter(isWanted)
    .map((finding) => findingJson(shownTo(finding, showsData)));
}

export function findingJson(finding: Finding): z.infer<typeof FindingSchema> {
  const key = new Set(keyNumbers(finding));
  return write(finding, {
    queues: [...(finding.queues ?? (finding.queue === null ? [] : [finding.queue]))],
    worker: finding.worker ?? null,
    jobType: finding.jobType ?? null,
    detail: finding.detail ?? null,
    lastSeen: isoTime(finding.lastSeenAtMs ?? null),
    evidence: finding.evidence.map((piece) => ({
      name: piece.name,
      label: piece.label,
      isKey: key.has(piece),
      value: piece.value,
      unit: piece.unit ?? null,
      error: piece.error ?? null,
    })),
    remedies: finding.remedies.map(remedyJson),
    next: finding.next ? remedyJson(finding.next) : null,
    explains: (finding.explains ?? []).map(({ code, queue, jobType, headline }) => ({
      ...{ code, queue, headline },
      jobType: jobType ?? null,
    })),
  });
}

export function remedyJson(remedy: Remedy): z.infer<typeof RemedySchema> {
  return writeRemedy(remedy, {
    workers: [...(remedy.workers ?? [])],
    predictedFreedBytes: remedy.predictedFreedBytes ?? null,
    suffices: remedy.suffices ?? null,
    lastsSeconds: remedy.lastsSeconds ?? null,
  });
}
