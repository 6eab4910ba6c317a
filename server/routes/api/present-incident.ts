import type { z } from '@hono/zod-openapi';
import type { Episode } from '../../timeline/episode.js';
import type { ImpactNumber } from '../../timeline/incident/impact.js';
import type { PostMortem } from '../../timeline/incident/post-mortem.js';
import type { Incident } from '../../timeline/incident.js';
import { incidentPath } from '../entry-links.js';
import type { PostMortemSchema } from './incident-account-schema.js';
import type { IncidentSchema } from './incident-schemas.js';
import { isoTime } from './iso-time.js';

export function presentIncident(incident: Incident): z.infer<typeof IncidentSchema> {
  const { id, title, fromMs, toMs, instances, severity, affects, notes, createdBy } = incident;
  const path = `/api/v1${incidentPath(id)}`;
  return {
    ...{ id, title, severity, affects, createdBy },
    from: isoTime(fromMs),
    to: isoTime(toMs),
    instances: [...instances],
    notes: { ...notes },
    createdAt: isoTime(incident.createdAtMs),
    updatedAt: isoTime(incident.updatedAtMs),
    links: { self: incidentPath(id), draft: `${path}.md`, status: `${path}/status` },
  };
}

/** The account for machines: times as ISO 8601, durations in seconds, null for what is not known. */
export function presentPostMortem(account: PostMortem): z.infer<typeof PostMortemSchema> {
  const { durations, impact } = account;
  return {
    queues: [...account.queues],
    openFindings: account.openFindings,
    durations: {
      detectedAfterSeconds: seconds(durations.detectedAfterMs),
      alertedAfterSeconds: seconds(durations.alertedAfterMs),
      firstActionAfterSeconds: seconds(durations.firstActionAfterMs),
      resolvedAfterSeconds: seconds(durations.resolvedAfterMs),
      lastsSeconds: durations.lastsMs / 1000,
      blindSeconds: durations.blindMs / 1000,
    },
    impact: {
      memoryRatio: number(impact.memoryRatio),
      backlogJobs: number(impact.backlogJobs),
      longestWaitSeconds: number(impact.longestWaitSeconds),
      refusedPerSecond: number(impact.refusedPerSecond),
      failedJobs: number(impact.failedJobs),
    },
    delayed: account.delayed,
    loss: { verdict: account.loss.verdict, because: [...account.loss.because] },
    replays: account.replays.map((replay) => ({ ...replay })),
    parkings: account.parkings.map((parking) => ({ ...parking })),
    findings: account.findings.map(presentEpisode),
    unknown: [...account.unknown],
  };
}

function presentEpisode({ id, code, severity, title, instance, queue, ...episode }: Episode) {
  return {
    ...{ id, code, severity, title, instance, queue },
    queues: [...episode.queues],
    beganAt: isoTime(episode.beganAtMs),
    endedAt: isoTime(episode.endedAtMs),
    worst: episode.worst.map(({ label, value, unit }) => ({ label, value, ...(unit ? { unit } : {}) })),
  };
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}

function number(of: ImpactNumber | null) {
  return of === null ? null : { value: of.value, at: isoTime(of.atMs), source: of.source };
}
