import { z } from '@hono/zod-openapi';
import type { AgentFacts, Override, WorkerState } from '../../model/worker.js';
import { isoTime } from './iso-time.js';

const Limiter = z.object({ max: z.number(), durationMs: z.number() }).nullable();

export const OverrideSchema = z
  .object({
    orderId: z.string(),
    scope: z.string().openapi({ description: '`*`: every worker of the queue; else one worker.' }),
    setting: z.string(),
    value: z.unknown(),
    by: z.string(),
    at: z.string(),
    reason: z.string(),
    until: z.string().nullable(),
  })
  .openapi('Override');

export const WorkerSchema = z
  .object({
    id: z.string(),
    instance: z.string(),
    queue: z.string(),
    label: z.string(),
    name: z.string().nullable(),
    host: z.string().nullable(),
    pid: z.number().nullable(),
    verdict: z.string(),
    sentence: z.string(),
    evidence: z.array(
      z.object({
        name: z.string(),
        label: z.string(),
        value: z.union([z.number(), z.string()]),
        unit: z.string().nullable(),
      }),
    ),
    outlier: z
      .object({
        kind: z.enum(['slow', 'failing']),
        type: z.string(),
        own: z.number(),
        peers: z.number(),
        sentence: z.string(),
      })
      .nullable(),
    connected: z.boolean().nullable(),
    firstSeen: z.string(),
    lastSeen: z.string(),
    replacedBy: z
      .string()
      .nullable()
      .openapi({ description: 'Of one that is gone: the id of the worker that has its place' }),
    agent: z
      .object({
        version: z.string(),
        bullmqVersion: z.string().nullable(),
        nodeVersion: z.string(),
        labels: z.record(z.string(), z.string()),
        attachedAt: z.string(),
        concurrency: z.object({ deployed: z.number(), now: z.number(), max: z.number().nullable() }),
        running: z.number(),
        paused: z.enum(['order', 'application', 'guard']).nullable(),
        closing: z.boolean(),
        limiter: z.object({ deployed: Limiter, now: Limiter }),
        rateLimited: z.boolean(),
        finishedPerSecond: z.number(),
        failedPerSecond: z.number(),
        lastStarted: z.string().nullable(),
        lastFinished: z.string().nullable(),
        types: z.array(
          z.object({
            name: z.string(),
            completed: z.number(),
            failed: z.number(),
            runs: z.number(),
            p50Ms: z.number().nullable(),
            p99Ms: z.number().nullable(),
          }),
        ),
        wait: z.object({ p50Ms: z.number(), p99Ms: z.number() }).nullable(),
        eventLoopDelayP99Ms: z.number(),
        residentBytes: z.number().nullable(),
        errorsPerSecond: z.object({
          oom: z.number(),
          connection: z.number(),
          lock: z.number(),
          other: z.number(),
        }),
        guardSince: z.string().nullable(),
        overrides: z.array(OverrideSchema.extend({ followed: z.boolean(), refusal: z.string().nullable() })),
        ignoredOrders: z.object({
          unsigned: z.number(),
          forged: z.number(),
          replayed: z.number(),
          late: z.number(),
          malformed: z.number(),
          unaddressed: z.number(),
          flooded: z.number().openapi({ description: 'More than consoles give: dropped unread.' }),
        }),
      })
      .nullable()
      .openapi({ description: 'null: no agent is attached.' }),
    locks: z
      .object({
        jobs: z.number(),
        held: z.number(),
        orphaned: z.number(),
        lastExpiry: z.string().nullable(),
      })
      .nullable(),
  })
  .openapi('Worker');

export const FleetSummarySchema = z
  .object({
    workers: z.number(),
    withAgent: z.number(),
    verdicts: z.record(z.string(), z.number()),
    slots: z.object({ deployed: z.number(), now: z.number(), busy: z.number() }),
  })
  .openapi('FleetSummary');

/** Turns what is known of a worker into what the API answers with. Pure. */
export function presentWorker(worker: WorkerState, instance: string): z.infer<typeof WorkerSchema> {
  const { outlier } = worker;
  return {
    id: worker.id,
    instance,
    queue: worker.queueId,
    label: worker.label,
    name: worker.name,
    host: worker.host,
    pid: worker.pid,
    verdict: worker.verdict,
    sentence: worker.sentence,
    evidence: worker.evidence.map(({ name, label, value, unit }) => ({
      name,
      label,
      value,
      unit: unit ?? null,
    })),
    outlier: outlier && { ...outlier },
    connected: worker.isConnected,
    firstSeen: isoTime(worker.firstSeenAtMs),
    lastSeen: isoTime(worker.lastSeenAtMs),
    replacedBy: worker.replacedBy?.id ?? null,
    agent: worker.agent && presentAgent(worker.agent),
    locks: worker.locks && {
      jobs: worker.locks.jobs,
      held: worker.locks.held,
      orphaned: worker.locks.orphaned,
      lastExpiry: isoTime(worker.locks.lastExpiryAtMs),
    },
  };
}

function presentAgent(agent: AgentFacts): NonNullable<z.infer<typeof WorkerSchema>['agent']> {
  return {
    version: agent.agentVersion,
    bullmqVersion: agent.bullmqVersion,
    nodeVersion: agent.nodeVersion,
    labels: { ...agent.labels },
    attachedAt: isoTime(agent.attachedAtMs),
    concurrency: { ...agent.concurrency, max: agent.maxConcurrency },
    running: agent.running,
    paused: agent.paused,
    closing: agent.isClosing,
    limiter: {
      deployed: agent.limiter.deployed && { ...agent.limiter.deployed },
      now: agent.limiter.now && { ...agent.limiter.now },
    },
    rateLimited: agent.isRateLimited,
    finishedPerSecond: agent.finishedPerSecond,
    failedPerSecond: agent.failedPerSecond,
    lastStarted: isoTime(agent.lastStartedAtMs),
    lastFinished: isoTime(agent.lastFinishedAtMs),
    types: agent.types.map(({ name, completed, failed, run }) => ({
      name,
      completed,
      failed,
      runs: run?.count ?? 0,
      p50Ms: run?.p50Ms ?? null,
      p99Ms: run?.p99Ms ?? null,
    })),
    wait: agent.wait && { ...agent.wait },
    eventLoopDelayP99Ms: agent.loopDelayP99Ms,
    residentBytes: agent.rssBytes,
    errorsPerSecond: { ...agent.errorsPerSecond },
    guardSince: isoTime(agent.guard.sinceMs),
    overrides: agent.overrides.map((order) => ({
      ...presentKept(order),
      followed: order.isFollowed,
      refusal: order.refusal,
    })),
    ignoredOrders: {
      ...agent.ignored,
      unaddressed: agent.ignored.unaddressed ?? 0,
      flooded: agent.ignored.flooded ?? 0,
    },
  };
}

export function presentKept(order: Override): z.infer<typeof OverrideSchema> {
  return {
    orderId: order.orderId,
    scope: order.scope,
    setting: order.setting,
    value: order.value,
    by: order.by,
    at: isoTime(order.atMs),
    reason: order.reason,
    until: isoTime(order.untilMs),
  };
}

/** How many of which verdict, and their slots. */
export function summariseFleet(workers: readonly WorkerState[]): z.infer<typeof FleetSummarySchema> {
  const verdicts: Record<string, number> = {};
  for (const { verdict } of workers) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  // Who is gone has no slots.
  const agents = workers.flatMap(({ agent, verdict }) => (verdict === 'crashed' ? [] : (agent ?? [])));
  const sum = (read: (agent: AgentFacts) => number): number =>
    agents.reduce((total, agent) => total + read(agent), 0);
  return {
    workers: workers.length,
    withAgent: workers.filter(({ agent }) => agent !== null).length,
    verdicts,
    slots: {
      deployed: sum((agent) => agent.concurrency.deployed),
      now: sum((agent) => (agent.paused === null || agent.paused === 'guard' ? agent.concurrency.now : 0)),
      busy: sum((agent) => agent.running),
    },
  };
}
