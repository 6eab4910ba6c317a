CREATE TABLE `replays` (
	`id` text PRIMARY KEY NOT NULL,
	`instance` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`ended_at_ms` integer,
	`state` text NOT NULL,
	`record` text NOT NULL
);
CREATE INDEX `replays_created` ON `replays` (`created_at_ms`);
CREATE TABLE `replay_batches` (
	`replay` text NOT NULL,
	`seq` integer NOT NULL,
	`phase` text NOT NULL,
	`queue` text NOT NULL,
	`jobs` text NOT NULL,
	`letters` text NOT NULL,
	PRIMARY KEY (`replay`, `seq`)
);
CREATE INDEX `replay_batches_phase` ON `replay_batches` (`replay`, `phase`, `seq`);
