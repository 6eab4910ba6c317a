/**
 * Fails where two files export the same name: whoever searches for it, or takes what the editor offers, would have to
 * know which of them is meant. Type and schema of one thing stand in one file and may share a name.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const homes = new Map();
for (const room of ['agent', 'server', 'views', 'drills', 'bench']) {
  for (const name of readdirSync(room, { recursive: true })) {
    if (!/\.tsx?$/.test(name) || name.startsWith('dist')) continue;
    const file = join(room, name);
    const exported = /^export (?:async )?(?:function\*?|const|class|interface|type|enum) (\w+)/gm;
    for (const [, name] of readFileSync(file, 'utf8').matchAll(exported)) {
      const home = homes.get(name) ?? file;
      homes.set(name, home);
      if (home === file) continue;
      console.error(`${name} is exported by ${home} and by ${file}`);
      process.exitCode = 1;
    }
  }
}
