import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { ActionError } from '../model/action.js';
import type { ReplayRecord, ReplayState } from './replay-record.js';

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

/** What came of it: a value, or an error that is made anew at the asker. */
export type CommandAnswer =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly code: string;
      readonly from: 'action' | 'parking';
      readonly message: string;
      readonly fields: ActionError['fields'];
    };
