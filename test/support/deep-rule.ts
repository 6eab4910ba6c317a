/** A rule, as a config file gives it, that fires at once where more than five jobs of a queue are unfinished. */
export const DEEP_RULE = {
  id: 'deep',
  name: 'Too deep',
  severity: 'critical',
  condition: { kind: 'compare', signal: 'queue_backlog_jobs', is: 'above', threshold: 5 },
  forSeconds: 0,
  keepFiringSeconds: 0,
} as const;
