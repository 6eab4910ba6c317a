CREATE TABLE `errands` (
	`id` text PRIMARY KEY NOT NULL,
	`at_ms` integer NOT NULL,
	`name` text NOT NULL,
	`args` text NOT NULL,
	`taken_by` text,
	`answer` text
);
