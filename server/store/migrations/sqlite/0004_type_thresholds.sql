CREATE TABLE `type_thresholds` (
	`instance` text NOT NULL,
	`queue` text NOT NULL,
	`type` text NOT NULL,
	`slow_ms` integer NOT NULL,
	`at_ms` integer NOT NULL,
	`actor` text NOT NULL,
	PRIMARY KEY (`instance`, `queue`, `type`)
);
