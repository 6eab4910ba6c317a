CREATE TABLE `actions` (
	`id` text PRIMARY KEY NOT NULL,
	`at_ms` integer NOT NULL,
	`actor` text NOT NULL,
	`via` text NOT NULL,
	`reason` text NOT NULL,
	`lever` text NOT NULL,
	`instance` text NOT NULL,
	`queue` text,
	`job_id` text,
	`args` text NOT NULL,
	`before` text NOT NULL,
	`after` text NOT NULL,
	`status` text NOT NULL,
	`summary` text NOT NULL,
	`freed_bytes` integer,
	`duration_ms` integer NOT NULL,
	`undo` text,
	`measurement` text
);
CREATE INDEX `actions_at` ON `actions` (`at_ms`);
CREATE INDEX `actions_queue` ON `actions` (`instance`, `queue`, `at_ms`);
CREATE TABLE `idempotency` (
	`key` text NOT NULL,
	`actor` text NOT NULL,
	`fingerprint` text NOT NULL,
	`at_ms` integer NOT NULL,
	`status` integer,
	`body` text,
	PRIMARY KEY(`actor`, `key`)
);
CREATE INDEX `idempotency_at` ON `idempotency` (`at_ms`);
