/**
 * The layers of the house (see CONTRIBUTING.md), checked on the sources with their types: `npm run check` writes them to
 * dist/.with-types as JavaScript that still imports what was imported as a type.
 */

/** Bottom to top: a module imports only what stands below its own room. */
const LAYERS = [
  'model',
  'process',
  'store',
  'redis',
  'watch',
  'forecast',
  'signals',
  'history',
  'findings',
  'timeline',
  'replay',
  'actions',
  'alerts',
  'config',
  'auth',
  'routes',
];

const at = (path) => `^dist/.with-types/${path}`;
const room = (name) => at(`server/${name}/`);

const layers = LAYERS.slice(0, -1).map((name, i) => ({
  name: `${name}-imports-what-is-below`,
  severity: 'error',
  from: { path: room(name) },
  to: { path: at(`server/((${LAYERS.slice(i + 1).join('|')})/|[^/]+$)`) },
}));

module.exports = {
  forbidden: [
    ...layers,
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'model-imports-nothing',
      comment: 'what things are: types, predicates, formats; of the agent the words that both share',
      severity: 'error',
      from: { path: room('model') },
      to: { pathNot: `${room('model')}|${at('agent/(protocol|job-type-of)')}|^node_modules/zod/` },
    },
    {
      name: 'registries-are-pure',
      comment: 'signals and findings: no I/O, no clock, no framework',
      severity: 'error',
      from: { path: room('(signals|findings)') },
      to: { pathNot: room('(model|forecast|signals|findings)') },
    },
    {
      name: 'only-redis-speaks-redis',
      comment: 'Redis commands live in server/redis and server/replay',
      severity: 'error',
      from: { path: at('server/'), pathNot: room('(redis|replay)') },
      to: { path: '(^|node_modules/)(ioredis|bullmq)(/|$)' },
    },
    {
      name: 'routes-never-touch-redis',
      comment: 'routes read Snapshots and call actions',
      severity: 'error',
      from: { path: room('routes') },
      to: { path: room('redis') },
    },
    {
      name: 'views-take-plain-data',
      comment: 'views import domain types, other views and hono/jsx; ids of elements are hashes',
      severity: 'error',
      from: { path: at('views/') },
      to: { pathNot: `${at('(views|server/model)/')}|^node_modules/hono/|^(node:)?crypto$` },
    },
    {
      name: 'agent-stands-alone',
      severity: 'error',
      from: { path: at('agent/') },
      to: { path: at('server/') },
    },
    {
      name: 'server-shares-the-protocol-only',
      comment:
        'what agents and consoles say to each other is agent/protocol, and how both read it: signature, job-type-of, sketch',
      severity: 'error',
      from: { path: at('server/') },
      to: { path: at('agent/'), pathNot: at('agent/(protocol|signature|job-type-of|sketch)') },
    },
    {
      name: 'server-knows-no-drills',
      severity: 'error',
      from: { path: at('server/') },
      to: { path: at('(drills|bench|test)/') },
    },
    { name: 'nothing-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    exclude: { path: at('test/') },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
