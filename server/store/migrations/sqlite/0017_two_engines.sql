-- What was asked of the inside of records and of the number of a row stands in columns, as PostgreSQL holds it too. The
-- relay's commands live for a minute at most: none is kept.
ALTER TABLE `alerts` ADD COLUMN `key` text DEFAULT '' NOT NULL;
ALTER TABLE `alerts` ADD COLUMN `notified_status` text;
UPDATE `alerts` SET
  `key` = coalesce(json_extract(`record`, '$.key'), ''),
  `notified_status` = json_extract(`record`, '$.notified.status');
ALTER TABLE `outbox` ADD COLUMN `status` text DEFAULT '' NOT NULL;
UPDATE `outbox` SET `status` = coalesce(json_extract(`notification`, '$.status'), '');
DROP TABLE `commands`;
CREATE TABLE `commands` (
  `seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
  `id` text NOT NULL UNIQUE,
  `at_ms` integer NOT NULL,
  `name` text NOT NULL,
  `args` text NOT NULL,
  `taken_by` text,
  `answer` text,
  `beat` integer DEFAULT 0 NOT NULL
);
