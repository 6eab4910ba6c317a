import type { Thresholds } from '../model/finding.js';

/** What holds unless the team sets it otherwise. */
export const DEFAULT_THRESHOLDS: Thresholds = {
  // Act well below the limit: at the very edge Redis's answers flip with its client buffers.
  memoryWarnRatio: 0.8,
  memoryCriticalRatio: 0.92,
  fillHorizonSeconds: 3600,
  stuckSeconds: 20,
  backlogMinJobs: 20,
  retentionMinBytes: 8 * 1024 * 1024,
};
