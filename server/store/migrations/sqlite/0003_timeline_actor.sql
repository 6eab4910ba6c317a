ALTER TABLE `timeline` ADD `actor` text;
