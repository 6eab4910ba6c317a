// The package is "type": "module"; this folder's build is for `require`, and has to say so.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
writeFileSync(join(root, 'dist', 'agent-cjs', 'package.json'), '{ "type": "commonjs" }\n');
