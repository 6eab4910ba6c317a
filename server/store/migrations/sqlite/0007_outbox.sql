CREATE TABLE `leases` (
	`name` text PRIMARY KEY NOT NULL,
	`holder` text NOT NULL,
	`beat` integer NOT NULL
);
CREATE TABLE `outbox` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`notification_id` text NOT NULL,
	`channel` text NOT NULL,
	`group_key` text NOT NULL,
	`notification` text NOT NULL,
	`state` text NOT NULL,
	`holder` text,
	`tries` integer NOT NULL,
	`created_at_ms` integer NOT NULL,
	`next_try_at_ms` integer NOT NULL,
	`delivered_at_ms` integer,
	`last_error` text
);
CREATE UNIQUE INDEX `outbox_once` ON `outbox` (`notification_id`, `channel`);
CREATE INDEX `outbox_due` ON `outbox` (`state`, `next_try_at_ms`);
CREATE INDEX `outbox_group` ON `outbox` (`channel`, `group_key`, `seq`);
CREATE TABLE `channel_health` (
	`channel` text PRIMARY KEY NOT NULL,
	`last_success_at_ms` integer,
	`last_failure_at_ms` integer,
	`last_error` text,
	`failures_in_row` integer NOT NULL
);
CREATE TABLE `write_probe` (
	`id` integer PRIMARY KEY NOT NULL,
	`at_ms` integer NOT NULL
);
