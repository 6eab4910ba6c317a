CREATE TABLE `timeline` (
	`id` text PRIMARY KEY NOT NULL,
	`at_ms` integer NOT NULL,
	`instance` text NOT NULL,
	`kind` text NOT NULL,
	`queue` text,
	`worker` text,
	`text` text NOT NULL
);
CREATE INDEX `timeline_at` ON `timeline` (`at_ms`);
ALTER TABLE `actions` ADD `worker` text;
