-- What signals were. Made where it is missing; a damaged file is set aside (history-file.ts).
--
-- A row of block_* is a stretch of all signals of one subject, as block.ts encodes it; one of another form is read as a
-- gap. Rows are added as time goes by and their numbers grow with it, so the oldest are the lowest and deleting them frees
-- whole pages. Guarantee: the blocks of a tier and the mark up to which it is folded are written in
-- one transaction, so a kill at any moment neither loses a written block nor folds one twice.
CREATE TABLE IF NOT EXISTS signal (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);

CREATE TABLE IF NOT EXISTS subject (
  id INTEGER PRIMARY KEY,
  instance TEXT NOT NULL,
  node TEXT,
  queue TEXT,
  type TEXT,
  -- Up to when its ticks are folded into blocks of ten seconds, and those into blocks of a minute.
  ten_seconds_until_ms INTEGER NOT NULL,
  minute_until_ms INTEGER NOT NULL,
  -- Of the last tick that is folded.
  last_ms INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS block_tick (
  id INTEGER PRIMARY KEY,
  subject INTEGER NOT NULL,
  start_ms INTEGER NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (subject, start_ms)
);

CREATE TABLE IF NOT EXISTS block_ten_seconds (
  id INTEGER PRIMARY KEY,
  subject INTEGER NOT NULL,
  start_ms INTEGER NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (subject, start_ms)
);

CREATE TABLE IF NOT EXISTS block_minute (
  id INTEGER PRIMARY KEY,
  subject INTEGER NOT NULL,
  start_ms INTEGER NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (subject, start_ms)
);
