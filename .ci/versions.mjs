// The core of the suite on every Node that is supported: `npm run test:versions`, or `npm run test:versions -- 22 24` for
// some, or `-- here` for the one that runs this (as in a matrix of CI). Ends with 1 where any fails.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The floor to the patch; of the others what is newest. */
const VERSIONS = ['20.19.0', '22', '24', '26'];
/** What meets Redis, the disk and a browser by ways that a Node may change. */
const CORE = [
  ...['test/actions', 'test/agent', 'test/store', 'test/command.test.ts', 'test/pack.test.ts'],
  ...['api', 'alerts-api', 'channels-api', 'parkings-api', 'workers-api', 'access', 'bodies', 'openapi'].map(
    (name) => `test/routes/${name}.test.ts`,
  ),
  'test/browser/overview.test.ts',
];

const root = fileURLToPath(new URL('..', import.meta.url));
const asked = process.argv.slice(2).filter((argument) => !argument.includes('/'));
/** Other files than the core, for a look. */
const files = process.argv.slice(2).filter((argument) => argument.includes('/'));
const failed = (asked.length > 0 ? asked : VERSIONS).filter((version) => !passes(version));
console.log(failed.length > 0 ? `failed on Node ${failed.join(', ')}` : 'passed on all of them');
process.exitCode = failed.length > 0 ? 1 : 0;

function passes(version) {
  const node = version === 'here' ? process.execPath : install(version);
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  console.log(`\nNode ${stdout.trim()}`);
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const { status } = spawnSync(node, [vitest, 'run', ...(files.length > 0 ? files : CORE)], {
    cwd: root,
    stdio: 'inherit',
    // Children, the command `spillway` among them, take `node` from the PATH.
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` },
  });
  return status === 0;
}

/** Brings a Node by the package of the registry that holds this machine's. @returns its path */
function install(version) {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(root, 'node_modules', '.cache', `node-${version}`);
  const node = join(folder, 'node_modules', name, 'bin', 'node');
  if (existsSync(node)) return node;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${version}`];
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: 'inherit' });
  if (status !== 0)
    throw new Error(`${name}@${version} can't be had: run this under that Node with \`here\``);
  return node;
}
