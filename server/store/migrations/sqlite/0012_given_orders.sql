CREATE TABLE `given_orders` (
	`instance` text NOT NULL,
	`id` text NOT NULL,
	`queue` text NOT NULL,
	`at_ms` integer NOT NULL,
	`order` text NOT NULL,
	PRIMARY KEY (`instance`, `id`)
);
