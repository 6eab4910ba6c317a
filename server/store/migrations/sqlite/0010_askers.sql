ALTER TABLE `idempotency` ADD `holder` text;
ALTER TABLE `idempotency` ADD `beat` integer DEFAULT 0 NOT NULL;
ALTER TABLE `errands` ADD `beat` integer DEFAULT 0 NOT NULL;
