ALTER TABLE `actions` RENAME TO `audit`;
--> statement-breakpoint
ALTER TABLE `audit` RENAME COLUMN `lever` TO `action`;
--> statement-breakpoint
UPDATE `audit` SET `action` = 'queue.pause' WHERE `action` = 'queue.halt';
--> statement-breakpoint
UPDATE `audit` SET `undo` = json_remove(json_set(`undo`, '$.action', replace(json_extract(`undo`, '$.lever'), 'queue.halt', 'queue.pause')), '$.lever') WHERE json_extract(`undo`, '$.lever') IS NOT NULL;
--> statement-breakpoint
ALTER TABLE `finding_spells` RENAME TO `finding_episodes`;
--> statement-breakpoint
ALTER TABLE `errands` RENAME TO `commands`;
--> statement-breakpoint
ALTER TABLE `replay_batches` RENAME COLUMN `letters` TO `characters`;
