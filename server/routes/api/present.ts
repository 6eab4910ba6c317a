import type { z } from '@hono/zod-openapi';
import { unansweredOf } from '../../actions/order-answers.js';
import type { Outcome } from '../../model/action.js';
import type { AuditRecord } from '../../model/audit-record.js';
import type { JobDetail, JobRow } from '../../model/job-view.js';
import { drainSecondsOf, fullestNode, isFull, oldestWaitingSeconds } from '../../model/queue-verdict.js';
import type { QueueState, RedisNode, Snapshot, UnreadQueue } from '../../model/snapshot.js';
import { presentRemedy } from './finding-schemas.js';
import { isoTime } from './iso-time.js';
import { presentForecast } from './plan-schemas.js';
import type {
  AuditRecordSchema,
  InstanceSchema,
  JobRowSchema,
  JobSchema,
  NodeSchema,
  OutcomeSchema,
  OutcomesSchema,
  QueueSchema,
  UnreadQueueSchema,
} from './schemas.js';

/** Turns what the console knows into what the API answers with. Pure. */

export function presentQueue(queue: QueueState, nowMs: number): z.infer<typeof QueueSchema> {
  const { memory, rates, pause } = queue;
  const drain = drainSecondsOf(queue);
  return {
    id: queue.id,
    prefix: queue.prefix,
    name: queue.name,
    readAt: isoTime(queue.readAtMs),
    verdict: queue.verdict,
    verdictSince: isoTime(queue.verdictSinceMs),
    flow: queue.flow,
    paused: queue.flow !== 'running',
    pause:
      pause && queue.flow === 'paused-by-spillway'
        ? { at: isoTime(pause.atMs), actor: pause.actor, formerConcurrency: pause.formerConcurrency }
        : null,
    counts: { ...queue.counts },
    backlog: queue.backlog,
    unfinished: queue.unfinished,
    arrivalsPerSecond: rates?.arrivalsPerSecond ?? null,
    departuresPerSecond: rates?.departuresPerSecond ?? null,
    oldestWaitingSeconds: oldestWaitingSeconds(queue, nowMs),
    drainSeconds: drain !== null && Number.isFinite(drain) ? drain : null,
    drainNever: drain === Number.POSITIVE_INFINITY,
    memoryBytes: memory?.totalBytes ?? null,
    memory: memory && {
      backlogBytes: memory.backlogBytes,
      completedBytes: memory.completedBytes,
      failedBytes: memory.failedBytes,
      eventsBytes: memory.eventsBytes,
      sampledJobs: memory.sampledJobs,
    },
    eventsLength: queue.eventsLength,
    concurrency: queue.concurrency,
    rateLimit: queue.rateLimit && { ...queue.rateLimit },
    workers: queue.workers,
    bullmqVersion: queue.bullmqVersion,
  };
}

export function presentUnread(
  { id, prefix, name, sinceMs, problem, command, last }: UnreadQueue,
  nowMs: number,
): z.infer<typeof UnreadQueueSchema> {
  return {
    id,
    prefix,
    name,
    since: isoTime(sinceMs),
    problem,
    command,
    last: last && presentQueue(last, nowMs),
  };
}

export function presentInstance(snapshot: Snapshot): z.infer<typeof InstanceSchema> {
  const node = fullestNode(snapshot);
  const sum = (read: (queue: QueueState) => number): number =>
    snapshot.queues.reduce((total, queue) => total + read(queue), 0);
  return {
    name: snapshot.instance,
    address: snapshot.link.address,
    topology: snapshot.link.topology,
    status: snapshot.link.status,
    stale: snapshot.link.status !== 'live',
    readAt: isoTime(snapshot.link.lastReadAtMs),
    problem: snapshot.link.problem,
    usedBytes: node?.usedBytes ?? null,
    maxBytes: node?.maxBytes ?? null,
    policy: node?.policy ?? null,
    usedRatio: node?.usedRatio ?? null,
    growthBytesPerSecond: node?.forecast?.growthBytesPerSecond ?? null,
    fullInSeconds: node?.forecast?.fullInSeconds ?? null,
    fullInNotKnown: node?.forecast?.notKnown ?? null,
    isFull: isFull(snapshot),
    nodes: snapshot.nodes.map(presentNode),
    unreadNodes: snapshot.unread.nodes.map(({ last, problem }) => ({
      address: last.address,
      since: isoTime(last.readAtMs),
      problem,
    })),
    totals: {
      queues: snapshot.queues.length,
      unreadQueues: snapshot.unread.queues.length,
      backlog: sum((queue) => queue.backlog),
      active: sum((queue) => queue.counts.active),
      failed: sum((queue) => queue.counts.failed),
      arrivalsPerSecond: sum((queue) => queue.rates?.arrivalsPerSecond ?? 0),
      departuresPerSecond: sum((queue) => queue.rates?.departuresPerSecond ?? 0),
    },
    polling: {
      intervalMs: snapshot.poll.intervalMs,
      isSlowed: snapshot.poll.isSlowed,
      slowedBecause: snapshot.poll.slowedBecause,
      redisCpuRatio: snapshot.poll.ownCpuRatio,
      budgetRatio: snapshot.poll.budgetRatio,
    },
    refusals: { ...snapshot.capabilities?.refusals },
    hearing: {
      status: snapshot.hearing.status,
      since: isoTime(snapshot.hearing.sinceMs),
      problem: snapshot.hearing.problem,
      resubscribed: snapshot.hearing.resubscribed,
      agents: snapshot.hearing.agents,
      unreadable: snapshot.hearing.unreadable,
    },
  };
}

function presentNode(node: RedisNode): z.infer<typeof NodeSchema> {
  return {
    id: node.id,
    address: node.address,
    version: node.version,
    role: node.role,
    isReadOnly: node.isReadOnly,
    isFull: node.isFull,
    usedBytes: node.usedBytes,
    countedBytes: node.countedBytes,
    maxBytes: node.maxBytes,
    limitBytes: node.limit?.bytes ?? null,
    limitSource: node.limit?.source ?? null,
    usedRatio: node.usedRatio,
    policy: node.policy,
    fragmentationRatio: node.fragmentationRatio,
    growthBytesPerSecond: node.forecast?.growthBytesPerSecond ?? null,
    fullInSeconds: node.forecast?.fullInSeconds ?? null,
    fullInNotKnown: node.forecast?.notKnown ?? null,
    refusedPerSecond: node.refusedPerSecond,
    evictedKeys: node.evictedKeys,
    connectedClients: node.connectedClients,
    clientOutputBytes: node.clientOutputBytes,
    replicas: node.replicas,
    replicationLagBytes: node.replicationLagBytes,
    opsPerSecond: node.opsPerSecond,
    cpuRatio: node.cpuRatio,
    consoleCpuRatio: node.ownCpuRatio,
  };
}

const MAX_UNANSWERED = 500;

export function presentOutcomes(outcomes: readonly Outcome[]): z.infer<typeof OutcomesSchema> {
  const total = (values: readonly (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
  };
  const presented = outcomes.map(presentOutcome);
  return {
    outcomes: presented,
    applied: outcomes.filter((outcome) => outcome.status === 'applied').length,
    unverified: outcomes.filter((outcome) => outcome.status === 'unverified').length,
    failed: outcomes.filter(({ status }) => status === 'failed' || status === 'refused').length,
    unanswered: outcomes
      .flatMap(({ instance, queue, workers }) =>
        unansweredOf(workers).map((result) => ({ instance, queue, ...result })),
      )
      .slice(0, MAX_UNANSWERED),
    ...(outcomes.some(({ isAuditLost }) => isAuditLost) ? { notRecorded: ['audit' as const] } : {}),
    predictedFreedBytes: total(presented.map((outcome) => outcome.predictedFreedBytes)),
    freedBytes: total(presented.map((outcome) => outcome.freedBytes)),
  };
}

function presentOutcome(outcome: Outcome): z.infer<typeof OutcomeSchema> {
  const { preview } = outcome;
  return {
    status: outcome.status,
    action: outcome.action,
    instance: outcome.instance,
    queue: outcome.queue,
    jobId: outcome.jobId,
    worker: outcome.worker,
    workers: outcome.workers.map((result) => ({ ...result })),
    summary: outcome.summary,
    fields: outcome.fields.map((field) => ({ ...field })),
    warnings: [...outcome.warnings],
    freedBytes: outcome.freedBytes,
    predictedFreedBytes: preview?.predictedFreedBytes ?? null,
    preview: preview && {
      ...preview,
      fields: preview.fields.map((field) => ({ ...field })),
      effects: [...preview.effects],
      warnings: preview.warnings.map((warning) => ({
        text: warning.text,
        instead: warning.instead.map(presentRemedy),
      })),
      affected: { ...preview.affected },
      forecast: presentForecast(preview.forecast ?? null),
    },
    undo: outcome.undo && presentCall(outcome.undo),
    auditId: outcome.auditId,
    durationMs: outcome.durationMs,
    isDryRun: outcome.isDryRun,
  };
}

export function presentCall(call: NonNullable<Outcome['undo']>) {
  return {
    action: call.action,
    instance: call.instance,
    queues: [...call.queues],
    ...(call.jobId === undefined ? {} : { jobId: call.jobId }),
    ...(call.workers === undefined ? {} : { workers: [...call.workers] }),
    args: { ...call.args },
  };
}

export function presentJobRow(row: JobRow, showsData: boolean): z.infer<typeof JobRowSchema> {
  return {
    id: row.id,
    name: row.name,
    timestamp: isoTime(row.timestampMs),
    delayMs: row.delayMs,
    priority: row.priority,
    attemptsMade: row.attemptsMade,
    processedAt: isoTime(row.processedAtMs),
    finishedAt: isoTime(row.finishedAtMs),
    // What a job failed with often quotes its data.
    failedReason: showsData ? row.failedReason : null,
  };
}

export function presentJob(job: JobDetail, showsData: boolean): z.infer<typeof JobSchema> {
  return {
    ...presentJobRow(job, showsData),
    state: job.state,
    memoryBytes: job.memoryBytes,
    parentKey: job.parentKey,
    processedBy: job.processedBy,
    dataHidden: !showsData,
    isTruncated: job.isTruncated,
    data: showsData ? job.data : null,
    options: showsData ? job.opts : null,
    returnValue: showsData ? job.returnValue : null,
    progress: showsData ? job.progress : null,
    stackTrace: showsData ? [...job.stackTrace] : null,
    logs: showsData ? [...job.logs] : null,
    logsTotal: job.logsTotal,
  };
}

export function presentAuditRecord(record: AuditRecord): z.infer<typeof AuditRecordSchema> {
  return {
    id: record.id,
    at: isoTime(record.atMs),
    actor: record.actor,
    via: record.via,
    reason: record.reason,
    action: record.action,
    instance: record.instance,
    queue: record.queue,
    jobId: record.jobId,
    worker: record.worker,
    args: { ...record.args },
    before: { ...record.before },
    after: { ...record.after },
    status: record.status,
    summary: record.summary,
    freedBytes: record.freedBytes,
    durationMs: record.durationMs,
    undo: record.undo && presentCall(record.undo),
    measurement: record.measurement
      ? {
          at: isoTime(record.measurement.atMs),
          text: record.measurement.text,
          isWarning: record.measurement.isWarning,
        }
      : null,
  };
}
