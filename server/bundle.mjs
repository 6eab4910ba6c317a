// The last step of the build: the console's own code as few files (`main`, the command, and `index`, for applications that
// it is a part of), as loading some 400 of them takes longer than all else of a start; and what is served as it comes from a package that only the build needs, beside its compressed form.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const dist = fileURLToPath(new URL('../dist', import.meta.url));

const outdir = join(dist, 'spillway');
// Packages stay packages: who installs the console sees and mends what it uses.
const { outputFiles } = await build({
  entryPoints: { main: join(dist, 'server/main.js'), index: join(dist, 'server/create-console.js') },
  outdir,
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  write: false,
});
// What is the same stays as it is, and what is stale goes last: a console may be starting from it.
mkdirSync(outdir, { recursive: true });
for (const { path, contents } of outputFiles)
  if (!existsSync(path) || !readFileSync(path).equals(contents)) writeFileSync(path, contents);
// By its time server/spillway.sh sees that it is what was compiled last.
utimesSync(join(outdir, 'main.js'), new Date(), new Date());
const made = new Set(outputFiles.map(({ path }) => path));
for (const name of readdirSync(outdir))
  if (name.endsWith('.js') && !made.has(join(outdir, name))) rmSync(join(outdir, name));

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
