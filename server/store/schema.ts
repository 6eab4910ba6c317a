import { index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import type { Order } from '../../agent/protocol.js';
import type { ActionCall, OutcomeStatus } from '../actions/action.js';
import type { Notification } from '../alerts/notification.js';
import type { OutboxState } from '../alerts/outbox-store.js';
import type { ToldSeverity } from '../findings/episode.js';
import type { Evidence, Severity } from '../findings/finding.js';
import type { PlanChange } from '../model/plan/plan-types.js';
import type { Verdict, VoidReason } from '../model/plan/score.js';
import type { ReplayRecord, ReplayState } from '../replay/replay-record.js';
import type { LostWorker } from '../watch/lost-workers.js';
import type { Measurement } from './audit-record.js';
import type { CommandAnswer } from './commands.js';
import type { IncidentNotes } from './incidents/incident.js';
import type { TimelineKind } from './timeline-entry.js';

/** Every change and every attempt at one. */
export const auditRecords = sqliteTable(
  'audit',
  {
    id: text('id').primaryKey(),
    atMs: integer('at_ms').notNull(),
    actor: text('actor').notNull(),
    via: text('via').notNull(),
    reason: text('reason').notNull(),
    action: text('action').notNull(),
    instance: text('instance').notNull(),
    queue: text('queue'),
    jobId: text('job_id'),
    worker: text('worker'),
    args: text('args', { mode: 'json' }).$type<Record<string, unknown>>().notNull(),
    before: text('before', { mode: 'json' }).$type<Record<string, string>>().notNull(),
    after: text('after', { mode: 'json' }).$type<Record<string, string>>().notNull(),
    status: text('status').$type<OutcomeStatus>().notNull(),
    summary: text('summary').notNull(),
    freedBytes: integer('freed_bytes'),
    durationMs: integer('duration_ms').notNull(),
    undo: text('undo', { mode: 'json' }).$type<ActionCall>(),
    measurement: text('measurement', { mode: 'json' }).$type<Measurement>(),
  },
  (table) => [
    index('audit_at').on(table.atMs),
    index('audit_queue').on(table.instance, table.queue, table.atMs),
  ],
);

/** What happened: see timeline-entry.ts. */
export const timeline = sqliteTable(
  'timeline',
  {
    id: text('id').primaryKey(),
    atMs: integer('at_ms').notNull(),
    instance: text('instance').notNull(),
    kind: text('kind').$type<TimelineKind>().notNull(),
    queue: text('queue'),
    worker: text('worker'),
    text: text('text').notNull(),
    actor: text('actor'),
    severity: text('severity').$type<Severity>(),
    ref: text('ref'),
  },
  (table) => [index('timeline_at').on(table.atMs), index('timeline_ref').on(table.ref)],
);

/** How long findings lasted and what was worst: see findings/episode.ts. */
export const findingEpisodes = sqliteTable(
  'finding_episodes',
  {
    id: text('id').primaryKey(),
    key: text('key').notNull(),
    code: text('code').notNull(),
    instance: text('instance').notNull(),
    queue: text('queue'),
    queues: text('queues', { mode: 'json' }).$type<readonly string[]>().notNull(),
    node: text('node'),
    jobType: text('job_type'),
    severity: text('severity').$type<ToldSeverity>().notNull(),
    title: text('title').notNull(),
    beganAtMs: integer('began_at_ms').notNull(),
    lastSeenAtMs: integer('last_seen_at_ms').notNull(),
    endedAtMs: integer('ended_at_ms'),
    worst: text('worst', { mode: 'json' }).$type<readonly Evidence[]>().notNull(),
  },
  (table) => [index('finding_episodes_time').on(table.beganAtMs, table.endedAtMs)],
);

/** Ranges of time that people call an incident: see incidents/incident.ts. */
export const incidents = sqliteTable(
  'incidents',
  {
    id: text('id').primaryKey(),
    title: text('title').notNull(),
    fromMs: integer('from_ms').notNull(),
    toMs: integer('to_ms'),
    instances: text('instances', { mode: 'json' }).$type<readonly string[]>().notNull(),
    severity: text('severity').$type<ToldSeverity>().notNull(),
    affects: text('affects').notNull(),
    notes: text('notes', { mode: 'json' }).$type<IncidentNotes>().notNull(),
    createdBy: text('created_by').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    updatedAtMs: integer('updated_at_ms').notNull(),
  },
  (table) => [index('incidents_from').on(table.fromMs)],
);

/** What was forecast of a queue, and what came of it: see model/plan/score.ts. */
export const predictions = sqliteTable(
  'predictions',
  {
    id: text('id').primaryKey(),
    madeAtMs: integer('made_at_ms').notNull(),
    instance: text('instance').notNull(),
    queue: text('queue').notNull(),
    change: text('change', { mode: 'json' }).$type<PlanChange>().notNull(),
    backlog: real('backlog').notNull(),
    arrivalsPerSecond: real('arrivals_per_second').notNull(),
    drainSeconds: real('drain_seconds'),
    drainLowSeconds: real('drain_low_seconds'),
    drainHighSeconds: real('drain_high_seconds'),
    status: text('status').$type<Verdict['status']>().notNull(),
    settledAtMs: integer('settled_at_ms'),
    voidReason: text('void_reason').$type<VoidReason>(),
    actualSeconds: real('actual_seconds'),
    errorRatio: real('error_ratio'),
    isInsideRange: integer('is_inside_range', { mode: 'boolean' }),
  },
  (table) => [
    index('predictions_queue').on(table.instance, table.queue, table.madeAtMs),
    index('predictions_status').on(table.status, table.madeAtMs),
  ],
);

/** Answers to requests that carried an Idempotency-Key; status and body are null while the first one is under way. */
export const idempotency = sqliteTable(
  'idempotency',
  {
    key: text('key').notNull(),
    actor: text('actor').notNull(),
    fingerprint: text('fingerprint').notNull(),
    atMs: integer('at_ms').notNull(),
    status: integer('status'),
    body: text('body'),
    /** The process that carries it out, and a count that it adds to while it does. */
    holder: text('holder'),
    beat: integer('beat').notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.actor, table.key] }), index('idempotency_at').on(table.atMs)],
);

/** Run times from which people call a job type slow: see type-thresholds.ts. Names are percent-encoded. */
export const typeThresholds = sqliteTable(
  'type_thresholds',
  {
    instance: text('instance').notNull(),
    queue: text('queue').notNull(),
    type: text('type').notNull(),
    slowMs: integer('slow_ms').notNull(),
    atMs: integer('at_ms').notNull(),
    actor: text('actor').notNull(),
  },
  (table) => [primaryKey({ columns: [table.instance, table.queue, table.type] })],
);

/** Replays: state and numbers as one record, which is only ever read and written whole. */
export const replays = sqliteTable(
  'replays',
  {
    id: text('id').primaryKey(),
    instance: text('instance').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    endedAtMs: integer('ended_at_ms'),
    state: text('state').$type<ReplayState>().notNull(),
    record: text('record', { mode: 'json' }).$type<ReplayRecord>().notNull(),
  },
  (table) => [index('replays_created').on(table.createdAtMs)],
);

/** Jobs that a replay has moved or is about to, a batch a row: see replay-store.ts. */
export const replayBatches = sqliteTable(
  'replay_batches',
  {
    replay: text('replay').notNull(),
    seq: integer('seq').notNull(),
    phase: text('phase').$type<'moving' | 'open' | 'settled'>().notNull(),
    queue: text('queue').notNull(),
    jobs: text('jobs', { mode: 'json' }).$type<readonly (readonly [id: string, score: string])[]>().notNull(),
    characters: text('characters').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.replay, table.seq] }),
    index('replay_batches_phase').on(table.replay, table.phase, table.seq),
  ],
);

/** Who of several consoles does what only one may do: see lease.ts. */
export const leases = sqliteTable('leases', {
  name: text('name').primaryKey(),
  holder: text('holder').notNull(),
  beat: integer('beat').notNull(),
});

/** What one console asks of the one that holds the lease: see commands.ts. */
export const commands = sqliteTable('commands', {
  id: text('id').primaryKey(),
  atMs: integer('at_ms').notNull(),
  name: text('name').notNull(),
  args: text('args', { mode: 'json' }).$type<readonly unknown[]>().notNull(),
  takenBy: text('taken_by'),
  answer: text('answer', { mode: 'json' }).$type<CommandAnswer>(),
  /** Its asker adds to it while it waits. */
  beat: integer('beat').notNull().default(0),
});

/** Messages for channels: see alerts/outbox-store.ts. Group keys are percent-encoded, as names of queues hold any letter. */
export const outbox = sqliteTable(
  'outbox',
  {
    seq: integer('seq').primaryKey({ autoIncrement: true }),
    notificationId: text('notification_id').notNull(),
    channel: text('channel').notNull(),
    groupKey: text('group_key').notNull(),
    notification: text('notification', { mode: 'json' }).$type<Notification>().notNull(),
    state: text('state').$type<OutboxState>().notNull(),
    holder: text('holder'),
    tries: integer('tries').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    nextTryAtMs: integer('next_try_at_ms').notNull(),
    deliveredAtMs: integer('delivered_at_ms'),
    lastError: text('last_error'),
  },
  (table) => [
    uniqueIndex('outbox_once').on(table.notificationId, table.channel),
    index('outbox_due').on(table.state, table.nextTryAtMs),
    index('outbox_group').on(table.channel, table.groupKey, table.seq),
  ],
);

/** How channels have been doing. */
export const channelHealth = sqliteTable('channel_health', {
  channel: text('channel').primaryKey(),
  lastSuccessAtMs: integer('last_success_at_ms'),
  lastFailureAtMs: integer('last_failure_at_ms'),
  lastError: text('last_error'),
  failuresInRow: integer('failures_in_row').notNull(),
});

/** Who is signed in: see auth/sessions.ts. */
export const sessions = sqliteTable('sessions', {
  id: text('id').primaryKey(),
  tokenSha256: text('token_sha256').notNull(),
  expiresAtMs: integer('expires_at_ms').notNull(),
});

/** Orders for workers that the console has given and that stand: see given-orders.ts. Queues are percent-encoded. */
export const givenOrders = sqliteTable(
  'given_orders',
  {
    instance: text('instance').notNull(),
    id: text('id').notNull(),
    queue: text('queue').notNull(),
    atMs: integer('at_ms').notNull(),
    order: text('order', { mode: 'json' }).$type<Order>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.instance, table.id] })],
);

/** Workers that are gone without a farewell and are missed: see lost-workers.ts. */
export const lostWorkers = sqliteTable(
  'lost_workers',
  {
    instance: text('instance').notNull(),
    id: text('id').notNull(),
    lostAtMs: integer('lost_at_ms').notNull(),
    record: text('record', { mode: 'json' }).$type<LostWorker>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.instance, table.id] })],
);

/** One row that is written again and again, to know that it can be. */
export const writeProbe = sqliteTable('write_probe', {
  id: integer('id').primaryKey(),
  atMs: integer('at_ms').notNull(),
});
