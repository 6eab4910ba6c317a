-- Alerts, episodes, entries and messages say headline, cause, effect and action instead of one sentence. What was kept before
-- has its sentence as the cause, and no effect. An alert's `cause` was the code of its finding.
UPDATE `alerts` SET `record` = json_remove(
  json_set(
    `record`,
    '$.code', json_extract(`record`, '$.cause'),
    '$.headline', json_extract(`record`, '$.ruleName') || ': ' || coalesce(json_extract(`record`, '$.subject.queue'), 'Redis ' || json_extract(`record`, '$.subject.instance')),
    '$.cause', coalesce(json_extract(`record`, '$.summary'), ''),
    '$.effect', '',
    '$.action', ''
  ),
  '$.summary'
) WHERE json_extract(`record`, '$.headline') IS NULL;
UPDATE `silences` SET `matchers` = json_remove(json_set(`matchers`, '$.code', json_extract(`matchers`, '$.cause')), '$.cause') WHERE json_extract(`matchers`, '$.cause') IS NOT NULL;
UPDATE `outbox` SET `notification` = json_remove(
  json_set(
    `notification`,
    '$.headline', json_extract(`notification`, '$.title'),
    '$.alerts', json((
      SELECT json_group_array(json(json_remove(
        json_set(
          `notice`.`value`,
          '$.headline', json_extract(`notification`, '$.title'),
          '$.cause', coalesce(json_extract(`notice`.`value`, '$.summary'), ''),
          '$.effect', '',
          '$.action', ''
        ),
        '$.summary'
      )))
      FROM json_each(`notification`, '$.alerts') AS `notice`
    ))
  ),
  '$.title'
) WHERE json_extract(`notification`, '$.headline') IS NULL;
ALTER TABLE `finding_episodes` RENAME COLUMN `title` TO `headline`;
ALTER TABLE `finding_episodes` ADD COLUMN `cause` text DEFAULT '' NOT NULL;
ALTER TABLE `finding_episodes` ADD COLUMN `effect` text DEFAULT '' NOT NULL;
ALTER TABLE `finding_episodes` ADD COLUMN `action` text DEFAULT '' NOT NULL;
ALTER TABLE `timeline` ADD COLUMN `brief` text;
