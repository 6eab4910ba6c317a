ALTER TABLE `idempotency` ADD `holder` text;
--> statement-breakpoint
ALTER TABLE `idempotency` ADD `beat` integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
ALTER TABLE `errands` ADD `beat` integer DEFAULT 0 NOT NULL;
