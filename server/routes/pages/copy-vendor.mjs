// Part of the build: what is served as it comes from a package that only the build needs, beside its compressed form.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const from = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const to = fileURLToPath(new URL('../../../dist/vendor', import.meta.url));

mkdirSync(to, { recursive: true });
for (const file of ['swagger-ui-bundle.js', 'swagger-ui.css', 'LICENSE']) {
  const content = readFileSync(join(from, file));
  writeFileSync(join(to, file), content);
  writeFileSync(join(to, `${file}.gz`), gzipSync(content, { level: 9 }));
}
