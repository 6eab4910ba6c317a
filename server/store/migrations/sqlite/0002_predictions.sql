CREATE TABLE `predictions` (
	`id` text PRIMARY KEY NOT NULL,
	`made_at_ms` integer NOT NULL,
	`instance` text NOT NULL,
	`queue` text NOT NULL,
	`change` text NOT NULL,
	`backlog` real NOT NULL,
	`arrivals_per_second` real NOT NULL,
	`drain_seconds` real,
	`drain_low_seconds` real,
	`drain_high_seconds` real,
	`status` text NOT NULL,
	`settled_at_ms` integer,
	`void_reason` text,
	`actual_seconds` real,
	`error_ratio` real,
	`is_inside_range` integer
);
CREATE INDEX `predictions_queue` ON `predictions` (`instance`, `queue`, `made_at_ms`);
CREATE INDEX `predictions_status` ON `predictions` (`status`, `made_at_ms`);
