/**
 * The walls of the house (see CONTRIBUTING.md). They are checked on the emitted JavaScript, where
 * type-only imports are gone, so "types only" means exactly that.
 */
module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'pure-rooms-do-no-io',
      comment: 'model, signals and findings are pure: no I/O, no clock, no framework',
      severity: 'error',
      from: { path: '^dist/server/(model|signals|findings)/' },
      to: { pathNot: '^dist/server/(model|signals|findings)/' },
    },
    {
      name: 'only-redis-speaks-redis',
      comment: 'Redis commands live in server/redis and server/replay',
      severity: 'error',
      from: { path: '^dist/server/', pathNot: '^dist/server/(redis|replay)/' },
      to: { path: '(^|node_modules/)(ioredis|bullmq)(/|$)' },
    },
    {
      name: 'routes-never-touch-redis',
      comment: 'routes read Snapshots and call actions',
      severity: 'error',
      from: { path: '^dist/server/routes/' },
      to: { path: '^dist/server/redis/' },
    },
    {
      name: 'views-take-plain-data',
      comment: 'views import other views, hono/jsx and types only',
      severity: 'error',
      from: { path: '^dist/views/' },
      to: { pathNot: '^(dist/views/|node_modules/hono/)' },
    },
    {
      name: 'agent-stands-alone',
      severity: 'error',
      from: { path: '^dist/agent/' },
      to: { path: '^dist/server/' },
    },
    {
      name: 'server-shares-the-protocol-only',
      comment:
        'what agents and consoles say to each other is agent/protocol, agent/signature and agent/job-type-of',
      severity: 'error',
      from: { path: '^dist/server/' },
      to: { path: '^dist/agent/', pathNot: '^dist/agent/(protocol|signature|job-type-of)' },
    },
    {
      name: 'server-knows-no-drills',
      severity: 'error',
      from: { path: '^dist/server/' },
      to: { path: '^dist/(drills|bench|test)/' },
    },
    { name: 'nothing-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/test' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
