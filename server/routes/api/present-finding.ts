import type { z } from '@hono/zod-openapi';
import { shownTo } from '../../findings/shown-to.js';
import type { Finding, Remedy } from '../../model/finding.js';
import { includesRole, type Role } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import type { FindingSchema } from './finding-schemas.js';
import { isoTime } from './iso-time.js';

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
