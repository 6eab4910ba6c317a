import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { ActionCall, OutcomeStatus } from '../model/action.js';
import type { Measurement } from '../model/audit-record.js';
import type { Evidence } from '../model/evidence.js';
import type { FindingKey, Severity } from '../model/finding.js';
import type { TimelineKind } from '../model/timeline-entry.js';
import type { ToldSeverity } from './episode.js';
import type { IncidentNotes } from './incident.js';

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
    key: text('key').$type<FindingKey>().notNull(),
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
