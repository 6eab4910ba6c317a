CREATE TABLE `alert_rules` (
	`id` text PRIMARY KEY NOT NULL,
	`rule` text NOT NULL,
	`source` text NOT NULL,
	`is_deleted` integer DEFAULT 0 NOT NULL,
	`updated_at_ms` integer NOT NULL,
	`updated_by` text
);
CREATE TABLE `alerts` (
	`id` text PRIMARY KEY NOT NULL,
	`instance` text NOT NULL,
	`rule` text NOT NULL,
	`state` text NOT NULL,
	`fired_at_ms` integer,
	`resolved_at_ms` integer,
	`acknowledged` text,
	`record` text NOT NULL
);
CREATE INDEX `alerts_state` ON `alerts` (`state`, `resolved_at_ms`);
CREATE INDEX `alerts_fired` ON `alerts` (`fired_at_ms`);
CREATE TABLE `silences` (
	`id` text PRIMARY KEY NOT NULL,
	`matchers` text NOT NULL,
	`author` text NOT NULL,
	`comment` text NOT NULL,
	`starts_at_ms` integer NOT NULL,
	`ends_at_ms` integer NOT NULL
);
CREATE INDEX `silences_ends` ON `silences` (`ends_at_ms`);
