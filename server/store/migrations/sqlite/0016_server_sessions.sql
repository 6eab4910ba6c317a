-- Sessions say who, by which way, in which role and since when, so that they can be listed, and end where that changes. Those
-- of before say none of it: people sign in once more.
DROP TABLE `sessions`;
CREATE TABLE `sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`way` text NOT NULL,
	`source` text NOT NULL,
	`name` text NOT NULL,
	`groups` text NOT NULL,
	`rights` text NOT NULL,
	`address` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`seen_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`check_at_ms` integer,
	`sealed` text
);
