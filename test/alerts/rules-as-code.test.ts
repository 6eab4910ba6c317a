import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../server/config/config.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-rules-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function load(rules: string) {
  await writeFile(join(directory, 'rules.yaml'), rules);
  const config = join(directory, 'spillway.yaml');
  await writeFile(config, 'alerts: { rulesFile: rules.yaml, repeatSeconds: 600 }\n');
  return loadConfig({ config }, {});
}
async function problemsOf(rules: string): Promise<string> {
  try {
    await load(rules);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
  }
  throw new Error('nothing was refused');
}

it('rules of a file are taken as they are written, with defaults for the rest', async () => {
  const { alertRules } = await load(
    '- id: deep\n  name: Deep\n  severity: critical\n  condition: { kind: compare, signal: queue_backlog_jobs, is: above, threshold: 10 }\n',
  );
  expect(alertRules.timing.repeatMs).toBe(600_000);
  expect(alertRules.rules).toMatchObject([
    { id: 'deep', isEnabled: true, severity: 'critical', forMs: 60_000, condition: { clear: null } },
  ]);
});

it('each bad rule is named by its place, its id, the field, the value and what would be right', async () => {
  const said = await problemsOf(`
- id: one
  name: One
  condition: { kind: compare, signal: queue_backlogs, is: over, threshold: 10 }
- id: two
  name: Two
  tresholds: 3
  condition: { kind: finding, code: redis.ful }
- id: two
  name: Again
  condition: { kind: share-of-limit, signal: queue_backlog_jobs, aboveRatio: 0.5 }
`);
  expect(said).toContain('rule 1 (one): condition.is: "over" must be above or below');
  expect(said).toContain('rule 2 (two): tresholds: is not a field; check the spelling');
  expect(said).toContain('rule 3 (two): condition.signal: "queue_backlog_jobs" must be in bytes');
  expect(await problemsOf('- id: a\n  name: A\n  condition: { kind: finding, code: redis.ful }')).toContain(
    'matches no finding; there are redis.full',
  );
  expect(await problemsOf('nothing')).toContain('must be a list of rules');
});
