ALTER TABLE `timeline` ADD `severity` text;
ALTER TABLE `timeline` ADD `ref` text;
CREATE INDEX `timeline_ref` ON `timeline` (`ref`);
CREATE TABLE `finding_spells` (
	`id` text PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`code` text NOT NULL,
	`instance` text NOT NULL,
	`queue` text,
	`queues` text NOT NULL,
	`node` text,
	`job_type` text,
	`severity` text NOT NULL,
	`title` text NOT NULL,
	`began_at_ms` integer NOT NULL,
	`last_seen_at_ms` integer NOT NULL,
	`ended_at_ms` integer,
	`worst` text NOT NULL
);
CREATE INDEX `finding_spells_time` ON `finding_spells` (`began_at_ms`, `ended_at_ms`);
CREATE TABLE `incidents` (
	`id` text PRIMARY KEY NOT NULL,
	`title` text NOT NULL,
	`from_ms` integer NOT NULL,
	`to_ms` integer,
	`instances` text NOT NULL,
	`severity` text NOT NULL,
	`affects` text NOT NULL,
	`notes` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL
);
CREATE INDEX `incidents_from` ON `incidents` (`from_ms`);
