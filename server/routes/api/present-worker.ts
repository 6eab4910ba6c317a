import type { z } from '@hono/zod-openapi';
import type { AgentFacts, KeptOrder, WorkerState } from '../../model/worker.js';
import { isoTime } from './iso-time.js';
import type { FleetSummarySchema, OverrideSchema, WorkerSchema } from './worker-schemas.js';

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
    evidence: worker.evidence.map(({ label, value, unit }) => ({ label, value, unit: unit ?? null })),
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

export function presentKept(order: KeptOrder): z.infer<typeof OverrideSchema> {
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
