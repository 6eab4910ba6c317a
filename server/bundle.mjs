// The last step of the build: the console's own code as few files (`main`, the command, and `index`, for applications that
// it is a part of), as loading some 400 of them takes longer than all else of a start; and what is served as it comes from a package that only the build needs, beside its compressed form.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const dist = fileURLToPath(new URL('../dist', import.meta.url));

rmSync(join(dist, 'spillway'), { recursive: true, force: true });
// Packages stay packages: who installs the console sees and mends what it uses.
await build({
  entryPoints: { main: join(dist, 'server/main.js'), index: join(dist, 'server/create-console.js') },
  outdir: join(dist, 'spillway'),
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
});

// Of types those alone that an application sees: they stand in one file that imports nothing of ours.
const tsc = join(dist, '../node_modules/typescript/bin/tsc');
const only = [
  '--declaration',
  '--emitDeclarationOnly',
  '--skipLibCheck',
  '--ignoreConfig',
  '--types',
  'node',
];
const how = ['--module', 'nodenext', '--target', 'es2023', '--outDir', join(dist, 'spillway')];
execFileSync(process.execPath, [tsc, join(dist, '../server/console-options.ts'), ...only, ...how], {
  stdio: 'inherit',
});
writeFileSync(
  join(dist, 'spillway/index.d.ts'),
  `import type { CreateConsole } from './console-options.js';
export type * from './console-options.js';
export declare const createConsole: CreateConsole;
`,
);

const from = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const vendor = join(dist, 'vendor');
mkdirSync(vendor, { recursive: true });
for (const file of ['swagger-ui-bundle.js', 'swagger-ui.css', 'LICENSE']) {
  const content = readFileSync(join(from, file));
  writeFileSync(join(vendor, file), content);
  writeFileSync(join(vendor, `${file}.gz`), gzipSync(content, { level: 9 }));
}
