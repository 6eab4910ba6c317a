import type { Replays } from './replays.js';

/** What API and pages ask of replays, whichever console runs them. */
export type ReplayPort = Pick<
  Replays,
  'list' | 'get' | 'dryRun' | 'begin' | 'change' | 'changeAll' | 'remove'
>;
