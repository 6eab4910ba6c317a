// The package is compiled once, as CommonJS, and what `import` finds leads there: with two builds a process that uses both
// ways in would have two agents, each with half of its workers.
import { writeFileSync } from 'node:fs';

const write = (name, text) => writeFileSync(new URL(`dist/${name}`, import.meta.url), text);
write('cjs/package.json', '{ "type": "commonjs" }\n');
write('index.js', "export { attach, health, healthHandler } from './cjs/index.js';\n");
write('index.d.ts', "export * from './cjs/index.js';\n");
write('register.js', "import './cjs/register.js';\n");
