/**
 * Writes the sources as JavaScript that still imports types, for dependency-cruiser: TypeScript 7 has no parser that it
 * could use, and the compiled code has lost the type-only imports, by which layers and circles can be broken as well.
 * @param argv[2] the directory to write to; it is emptied first.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { transform } from 'esbuild';

const ROOMS = ['agent', 'server', 'views', 'drills', 'bench', 'test'];
const target = process.argv[2];
if (!target) throw new Error('name the directory to write to');
rmSync(target, { recursive: true, force: true });

for (const room of ROOMS) {
  for (const file of readdirSync(room, { recursive: true })) {
    if (!/\.tsx?$/.test(file) || file.startsWith('dist')) continue;
    const source = readFileSync(join(room, file), 'utf8')
      .replace(/^(import|export) type (?=[{*])/gm, '$1 ')
      .replace(/^((?:import|export) \{[^}]*\} from)/gm, (line) => line.replace(/\btype (?=\w)/g, ''));
    const { code } = await transform(source, {
      loader: file.endsWith('x') ? 'tsx' : 'ts',
      jsx: 'automatic',
      jsxImportSource: 'hono/jsx',
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    });
    const path = join(target, room, file.replace(/\.tsx?$/, '.js'));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, code);
  }
}
