import { readFileSync } from 'node:fs';
import type { Worker as Worker6 } from 'bullmq';
import type { Worker as Worker5 } from 'bullmq-v5';
import { expect, it } from 'vitest';
import { type AttachableWorker, attach } from '../../agent/index.js';
import { AGENT_VERSION } from '../../agent/version.js';
import { packagePath } from '../../server/package-path.js';

/** Compiled, not run: a worker of either version fits without a cast. */
const takesBoth: readonly [(worker: Worker5) => AttachableWorker, (worker: Worker6) => AttachableWorker] = [
  (worker) => worker,
  (worker) => worker,
];

it('the agent takes workers of BullMQ 5 and 6 as they are', () => {
  expect(takesBoth).toHaveLength(2);
  expect(attach).toBeTypeOf('function');
});

it('the agent says the version of the package that it came with', () => {
  const { version } = JSON.parse(readFileSync(packagePath('package.json'), 'utf8')) as { version: string };
  expect(AGENT_VERSION).toBe(version);
});
