-- What is parked: parked.db in the data directory. A row of parked_job goes through
--   written (on disk, perhaps still in Redis) → removed (Redis has let go) → restoring → restored (Redis has it; the row
--   stays until Redis has surely kept it) → gone.
-- What a replay brings back leaves its characters in replay_receipt in the same step, until the replay has them: asked again
-- after a crash, it gets what came of the first try.
-- Each step is committed and synced; only settle-batch.lua may decide what an interrupted step came to.
CREATE TABLE IF NOT EXISTS installation (id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS parking (
  id TEXT PRIMARY KEY,
  instance TEXT NOT NULL,
  queue TEXT NOT NULL,
  states TEXT NOT NULL,
  job_types TEXT,
  most INTEGER,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  origin TEXT NOT NULL,
  started_at_ms INTEGER NOT NULL,
  ended_at_ms INTEGER,
  phase TEXT NOT NULL,
  state TEXT NOT NULL,
  because TEXT,
  rate_per_second REAL,
  guard INTEGER NOT NULL DEFAULT 1,
  paused_by TEXT,
  looked INTEGER NOT NULL DEFAULT 0,
  parked INTEGER NOT NULL DEFAULT 0,
  freed_bytes INTEGER NOT NULL DEFAULT 0,
  skipped TEXT NOT NULL DEFAULT '{}',
  restored INTEGER NOT NULL DEFAULT 0,
  existed INTEGER NOT NULL DEFAULT 0,
  fell_back INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS parked_job (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  parking TEXT NOT NULL,
  batch TEXT NOT NULL,
  row_state TEXT NOT NULL,
  restore_batch TEXT,
  restored_at_ms INTEGER,
  job_id BLOB NOT NULL,
  name TEXT NOT NULL,
  place TEXT NOT NULL,
  score TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  fields BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS replay_receipt (
  call TEXT PRIMARY KEY,
  replay TEXT NOT NULL,
  batch INTEGER NOT NULL,
  characters TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS parked_job_by_parking ON parked_job (parking, row_state);
CREATE INDEX IF NOT EXISTS parked_job_by_batch ON parked_job (batch);
CREATE INDEX IF NOT EXISTS parked_job_by_restore ON parked_job (restore_batch) WHERE restore_batch IS NOT NULL;
CREATE INDEX IF NOT EXISTS parked_job_in_between ON parked_job (row_state, parking) WHERE row_state <> 'removed';
