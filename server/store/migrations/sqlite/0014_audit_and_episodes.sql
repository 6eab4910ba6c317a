ALTER TABLE `actions` RENAME TO `audit`;
ALTER TABLE `audit` RENAME COLUMN `lever` TO `action`;
UPDATE `audit` SET `action` = 'queue.pause' WHERE `action` = 'queue.halt';
UPDATE `audit` SET `undo` = json_remove(json_set(`undo`, '$.action', replace(json_extract(`undo`, '$.lever'), 'queue.halt', 'queue.pause')), '$.lever') WHERE json_extract(`undo`, '$.lever') IS NOT NULL;
ALTER TABLE `finding_spells` RENAME TO `finding_episodes`;
ALTER TABLE `errands` RENAME TO `commands`;
ALTER TABLE `replay_batches` RENAME COLUMN `letters` TO `characters`;
