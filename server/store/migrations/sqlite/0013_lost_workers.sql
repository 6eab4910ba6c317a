CREATE TABLE `lost_workers` (
	`instance` text NOT NULL,
	`id` text NOT NULL,
	`lost_at_ms` integer NOT NULL,
	`record` text NOT NULL,
	PRIMARY KEY (`instance`, `id`)
);
