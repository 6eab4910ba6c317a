import { z } from '@hono/zod-openapi';
import { shownTo } from '../../findings/track.js';
import type { Finding, Remedy } from '../../model/finding.js';
import { includesRole, type Role } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import { isoTime } from './iso-time.js';

const severity = z.enum(['critical', 'warning', 'info']);

export const RemedySchema = z
  .object({
    action: z.string(),
    label: z.string(),
    effect: z.string(),
    queues: z.array(z.string()),
    workers: z.array(z.string()),
    args: z.record(z.string(), z.unknown()),
    predictedFreedBytes: z.number().nullable(),
  })
  .openapi('Remedy', {
    description: 'An action with its arguments filled in: send it to POST /api/v1/actions/{action}.',
  });

export const FindingSchema = z
  .object({
    code: z.string().openapi({ example: 'redis.full' }),
    severity,
    instance: z.string(),
    queue: z.string().nullable(),
    queues: z.array(z.string()).openapi({ description: 'All queues it is about, worst first, at most 100.' }),
    node: z.string().nullable(),
    worker: z.string().nullable(),
    jobType: z.string().nullable().openapi({ description: 'With `queue`: the job type that it is about.' }),
    key: z.string(),
    title: z.string(),
    sentence: z.string(),
    since: z.string(),
    lastSeen: z
      .string()
      .nullable()
      .openapi({ description: 'Set where the console can’t see now: it was so at this time.' }),
    evidence: z.array(
      z.object({
        name: z.string().openapi({
          example: 'oldest-waited',
          description: 'Stays the same whatever the label says. Pieces of a list may share one.',
        }),
        label: z.string(),
        value: z.union([z.number(), z.string()]),
        unit: z.string().nullable(),
        error: z
          .number()
          .nullable()
          .openapi({ description: 'Of an estimate: the truth lies within ± this in 95 of 100 cases.' }),
      }),
    ),
    remedies: z.array(RemedySchema),
    explains: z
      .array(
        z.object({
          code: z.string().openapi({ example: 'queue.overloaded' }),
          queue: z.string().nullable(),
          jobType: z.string().nullable(),
          title: z.string(),
        }),
      )
      .openapi({
        description: 'Findings that follow from this one and so are not told by themselves, worst first.',
      }),
  })
  .openapi('Finding');

/** Findings as a role may see them, worst first. */
export function presentFindings(
  deps: Pick<AppDeps, 'watch' | 'jobDataRole'>,
  role: Role,
  isWanted: (finding: Finding) => boolean = () => true,
): z.infer<typeof FindingSchema>[] {
  const showsData = includesRole(role, deps.jobDataRole);
  return deps.watch
    .findings()
    .filter(isWanted)
    .map((finding) => presentFinding(shownTo(finding, showsData)));
}

export function presentFinding(finding: Finding): z.infer<typeof FindingSchema> {
  return {
    code: finding.code,
    severity: finding.severity,
    instance: finding.instance,
    queue: finding.queue,
    queues: [...(finding.queues ?? (finding.queue === null ? [] : [finding.queue]))],
    node: finding.node,
    worker: finding.worker ?? null,
    jobType: finding.jobType ?? null,
    key: finding.key,
    title: finding.title,
    sentence: finding.sentence,
    since: isoTime(finding.sinceMs),
    lastSeen: isoTime(finding.lastSeenAtMs ?? null),
    evidence: finding.evidence.map((piece) => ({
      name: piece.name,
      label: piece.label,
      value: piece.value,
      unit: piece.unit ?? null,
      error: piece.error ?? null,
    })),
    remedies: finding.remedies.map(presentRemedy),
    explains: (finding.explains ?? []).map(({ code, queue, jobType, title }) => ({
      code,
      queue,
      jobType: jobType ?? null,
      title,
    })),
  };
}

export function presentRemedy(remedy: Remedy) {
  return {
    ...remedy,
    queues: [...remedy.queues],
    workers: [...(remedy.workers ?? [])],
    args: { ...remedy.args },
    predictedFreedBytes: remedy.predictedFreedBytes ?? null,
  };
}
