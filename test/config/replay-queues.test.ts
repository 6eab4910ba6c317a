import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../server/config/config.js';

function load(text: string) {
  const path = join(mkdtempSync(join(tmpdir(), 'spillway-config-')), 'spillway.yaml');
  writeFileSync(path, text);
  return loadConfig({ config: path }, {});
}
function problems(text: string): readonly string[] {
  try {
    load(text);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
const instance = (name: string, rest = '') => `  - { name: ${name}, url: "redis://h:6379"${rest} }`;

describe('queues of a replay service of one’s own', () => {
  it('are named for every Redis, or for one, which may also have none', () => {
    const config = load(
      [
        'replayQueues: ["retry-*"]',
        'instances:',
        instance('a'),
        instance('b', ', replayQueues: ["dlq:again"]'),
        instance('c', ', replayQueues: []'),
      ].join('\n'),
    );
    expect(config.replayQueues).toEqual({ a: ['retry-*'], b: ['dlq:again'], c: [] });
    expect(load('replayQueues: [mail-again]').replayQueues).toEqual({ default: ['mail-again'] });
    expect(load('port: 3000').replayQueues).toEqual({ default: [] });
  });

  it('that are written wrong are named, with what would be right', () => {
    expect(problems('replayQueues: retry')).toEqual([
      'replayQueues: retry must be a list of globs over queue ids and names',
    ]);
    expect(problems('replayQueues: [""]')).toEqual([
      'replayQueues.0:  must be a glob over queue ids and names, such as retry-*',
    ]);
    expect(problems(`instances:\n${instance('a', ', replayQueues: [3]')}`)).toEqual([
      'instances.0.replayQueues.0: 3 must be a glob over queue ids and names, such as retry-*',
    ]);
    expect(problems('replayQueue: [retry]')).toEqual(['replayQueue: is not a setting; check the spelling']);
  });
});
