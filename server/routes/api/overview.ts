import { z } from '@hono/zod-openapi';
import { isoTime, jsonWriter, TimeSchema } from '../../model/json.js';
import { fullestNode, isFull } from '../../model/queue-verdict.js';
import type { Role } from '../../model/role.js';
import { NodeFacts, type QueueState, type RedisNode, type Snapshot } from '../../model/snapshot.js';
import type { AppDeps } from '../app-deps.js';
import { apiPart, jsonRoute } from './env.js';
import { FindingSchema, findingsFor } from './findings.js';

const growth = {
  growthBytesPerSecond: z.number().nullable(),
  fullInSeconds: z.number().nullable(),
  fullInNotKnown: z
    .string()
    .nullable()
    .describe('Why fullInSeconds is null although memory grows; null: it is known, or nothing is filling.'),
};

const NodeSchema = NodeFacts.extend({
  limitBytes: z.number().nullable(),
  limitSource: z.enum(['maxmemory', 'cgroup', 'host']).nullable(),
  ...growth,
  consoleCpuRatio: z.number(),
}).openapi('RedisNode');

const InstanceSchema = z
  .object({
    name: z.string(),
    address: z.string(),
    topology: z.enum(['single', 'sentinel', 'cluster']),
    status: z.enum(['connecting', 'live', 'stale', 'unreachable']),
    stale: z.boolean().describe('True: these numbers are not of now; see readAt.'),
    readAt: TimeSchema.nullable(),
    problem: z.string().nullable(),
    usedBytes: z.number().nullable(),
    maxBytes: z.number().nullable(),
    policy: z.string().nullable(),
    usedRatio: z.number().nullable(),
    ...growth,
    isFull: z.boolean(),
    nodes: z.array(NodeSchema),
    unreadNodes: z
      .array(z.object({ address: z.string(), since: TimeSchema, problem: z.string() }))
      .describe('Masters of a Cluster that do not answer; no number here counts them.'),
    totals: z.object({
      queues: z.number(),
      unreadQueues: z
        .number()
        .describe('Queues of which nothing is known now; the sums beside this lack them.'),
      backlog: z.number(),
      active: z.number(),
      failed: z.number(),
      arrivalsPerSecond: z.number(),
      departuresPerSecond: z.number(),
    }),
    polling: z.object({
      intervalMs: z.number(),
      isSlowed: z.boolean(),
      slowedBecause: z.string().nullable(),
      redisCpuRatio: z.number(),
      budgetRatio: z.number(),
    }),
    hearing: z.object({
      status: z.enum(['off', 'hearing', 'deaf']),
      since: TimeSchema,
      problem: z.string().nullable(),
      resubscribed: z.number(),
      agents: z.number(),
      unreadable: z.number(),
    }),
    refusals: z
      .record(z.string(), z.string())
      .describe('What this Redis does not permit the console, in its words.'),
  })
  .openapi('Instance');

const OverviewSchema = z
  .object({
    at: TimeSchema,
    storeProblem: z.string().nullable(),
    instances: z.array(InstanceSchema),
    findings: z.array(FindingSchema),
  })
  .openapi('Overview');

const overviewRoute = jsonRoute(
  'get /overview',
  'Instances with memory, totals and findings',
  OverviewSchema,
);
const findingsRoute = jsonRoute(
  'get /findings',
  'All findings, worst first',
  OverviewSchema.pick({ at: true, findings: true }),
);

type Deps = Pick<AppDeps, 'watch' | 'now' | 'jobDataRole' | 'storeProblem'>;

export function overviewApi(deps: Deps) {
  return apiPart()
    .openapi(overviewRoute, (c) => c.json(overviewJson(deps, c.get('actor').role), 200))
    .openapi(findingsRoute, (c) =>
      c.json({ at: isoTime(deps.now()), findings: findingsFor(deps, c.get('actor').role) }, 200),
    );
}

/** Every Redis with its memory and sums, and what is wrong. */
export function overviewJson(deps: Deps, role: Role): z.infer<typeof OverviewSchema> {
  return {
    at: isoTime(deps.now()),
    storeProblem: deps.storeProblem,
    instances: deps.watch.snapshots().map(instanceJson),
    findings: findingsFor(deps, role),
  };
}

const write = jsonWriter(InstanceSchema);
const writeNode = jsonWriter(NodeSchema);
const writePolling = jsonWriter(InstanceSchema.shape.polling);
const writeHearing = jsonWriter(InstanceSchema.shape.hearing);

function instanceJson(snapshot: Snapshot): z.infer<typeof InstanceSchema> {
  const { link, queues, unread, poll, hearing } = snapshot;
  const node = fullestNode(snapshot);
  const sum = (read: (queue: QueueState) => number): number =>
    queues.reduce((total, queue) => total + read(queue), 0);
  return write(link, {
    name: snapshot.instance,
    stale: link.status !== 'live',
    readAt: isoTime(link.lastReadAtMs),
    usedBytes: node?.usedBytes ?? null,
    maxBytes: node?.maxBytes ?? null,
    policy: node?.policy ?? null,
    usedRatio: node?.usedRatio ?? null,
    ...growthOf(node),
    isFull: isFull(snapshot),
    nodes: snapshot.nodes.map((one) =>
      writeNode(one, {
        limitBytes: one.limit?.bytes ?? null,
        limitSource: one.limit?.source ?? null,
        ...growthOf(one),
        consoleCpuRatio: one.ownCpuRatio,
      }),
    ),
    unreadNodes: unread.nodes.map(({ last, problem }) => ({
      address: last.address,
      since: isoTime(last.readAtMs),
      problem,
    })),
    totals: {
      queues: queues.length,
      unreadQueues: unread.queues.length,
      backlog: sum((queue) => queue.backlog),
      active: sum((queue) => queue.counts.active),
      failed: sum((queue) => queue.counts.failed),
      arrivalsPerSecond: sum((queue) => queue.rates?.arrivalsPerSecond ?? 0),
      departuresPerSecond: sum((queue) => queue.rates?.departuresPerSecond ?? 0),
    },
    polling: writePolling(poll, { redisCpuRatio: poll.ownCpuRatio }),
    refusals: { ...snapshot.capabilities?.refusals },
    hearing: writeHearing(hearing),
  });
}

function growthOf(node: RedisNode | null) {
  const forecast = node?.forecast;
  return {
    growthBytesPerSecond: forecast?.growthBytesPerSecond ?? null,
    fullInSeconds: forecast?.fullInSeconds ?? null,
    fullInNotKnown: forecast?.notKnown ?? null,
  };
}
