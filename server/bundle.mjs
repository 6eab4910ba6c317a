// The last step of the build: the console's own code as one file, as loading some 400 of them takes longer than all else of a
// start, and what is served as it comes from a package that only the build needs, beside its compressed form.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const dist = fileURLToPath(new URL('../dist', import.meta.url));

// Packages stay packages: who installs the console sees and mends what it uses.
await build({
  entryPoints: [join(dist, 'server/main.js')],
  outdir: join(dist, 'spillway'),
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
});

const from = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const vendor = join(dist, 'vendor');
mkdirSync(vendor, { recursive: true });
for (const file of ['swagger-ui-bundle.js', 'swagger-ui.css', 'LICENSE']) {
  const content = readFileSync(join(from, file));
  writeFileSync(join(vendor, file), content);
  writeFileSync(join(vendor, `${file}.gz`), gzipSync(content, { level: 9 }));
}
