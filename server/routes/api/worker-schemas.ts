import { z } from '@hono/zod-openapi';
import { isoTime, jsonWriter, TimeSchema } from '../../model/json.js';
import { type AgentFacts, OutlierSchema, OverrideSchema, type WorkerState } from '../../model/worker.js';

const Limiter = z.object({ max: z.number(), durationMs: z.number() }).nullable();

const AgentOverrideSchema = OverrideSchema.extend({ followed: z.boolean(), refusal: z.string().nullable() });

const AgentSchema = z.object({
  version: z.string(),
  bullmqVersion: z.string().nullable(),
  nodeVersion: z.string(),
  labels: z.record(z.string(), z.string()),
  attachedAt: TimeSchema,
  concurrency: z.object({ deployed: z.number(), now: z.number(), max: z.number().nullable() }),
  running: z.number(),
  paused: z.enum(['order', 'application', 'guard']).nullable(),
  closing: z.boolean(),
  limiter: z.object({ deployed: Limiter, now: Limiter }),
  rateLimited: z.boolean(),
  finishedPerSecond: z.number(),
  failedPerSecond: z.number(),
  lastStarted: TimeSchema.nullable(),
  lastFinished: TimeSchema.nullable(),
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
  guardSince: TimeSchema.nullable(),
  overrides: z.array(AgentOverrideSchema),
  ignoredOrders: z.object({
    unsigned: z.number(),
    forged: z.number(),
    replayed: z.number(),
    late: z.number(),
    malformed: z.number(),
    unaddressed: z.number(),
    flooded: z.number().describe('More than consoles give: dropped unread.'),
  }),
});

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
    outlier: OutlierSchema.nullable(),
    connected: z.boolean().nullable(),
    firstSeen: TimeSchema,
    lastSeen: TimeSchema,
    replacedBy: z
      .string()
      .nullable()
      .describe('Of one that is gone: the id of the worker that has its place'),
    agent: AgentSchema.nullable().describe('null: no agent is attached.'),
    locks: z
      .object({
        jobs: z.number(),
        held: z.number(),
        orphaned: z.number(),
        lastExpiry: TimeSchema.nullable(),
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

const write = jsonWriter(WorkerSchema);
const writeAgent = jsonWriter(AgentSchema);
const writeOverride = jsonWriter(AgentOverrideSchema);

export function workerJson(worker: WorkerState, instance: string): z.infer<typeof WorkerSchema> {
  const { agent, locks } = worker;
  return write(worker, {
    instance,
    queue: worker.queueId,
    evidence: worker.evidence.map(({ name, label, value, unit }) => ({
      name,
      label,
      value,
      unit: unit ?? null,
    })),
    connected: worker.isConnected,
    firstSeen: isoTime(worker.firstSeenAtMs),
    lastSeen: isoTime(worker.lastSeenAtMs),
    replacedBy: worker.replacedBy?.id ?? null,
    agent: agent && agentJson(agent),
    locks: locks && {
      ...{ jobs: locks.jobs, held: locks.held, orphaned: locks.orphaned },
      lastExpiry: isoTime(locks.lastExpiryAtMs),
    },
  });
}

function agentJson(agent: AgentFacts): z.infer<typeof AgentSchema> {
  return writeAgent(agent, {
    version: agent.agentVersion,
    concurrency: { ...agent.concurrency, max: agent.maxConcurrency },
    closing: agent.isClosing,
    rateLimited: agent.isRateLimited,
    lastStarted: isoTime(agent.lastStartedAtMs),
    lastFinished: isoTime(agent.lastFinishedAtMs),
    types: agent.types.map(({ name, completed, failed, run }) => ({
      ...{ name, completed, failed },
      runs: run?.count ?? 0,
      p50Ms: run?.p50Ms ?? null,
      p99Ms: run?.p99Ms ?? null,
    })),
    eventLoopDelayP99Ms: agent.loopDelayP99Ms,
    residentBytes: agent.rssBytes,
    guardSince: isoTime(agent.guard.sinceMs),
    overrides: agent.overrides.map((one) => writeOverride(one, { followed: one.isFollowed })),
    ignoredOrders: { unaddressed: 0, flooded: 0, ...agent.ignored },
  });
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
