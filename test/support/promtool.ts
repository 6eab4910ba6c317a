import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs promtool (Debian's package `prometheus`); `PROMTOOL_BIN` where it is not on the PATH. */
export function promtool(
  args: readonly string[],
  input?: string,
): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr, error } = spawnSync(process.env.PROMTOOL_BIN ?? 'promtool', [...args], {
    encoding: 'utf8',
    ...(input === undefined ? {} : { input }),
  });
  if (error) throw error;
  return { code: status, output: `${stdout}${stderr}`.trim() };
}

/** What it says of a text of rules. Older ones read files only. */
export function checkRules(text: string): ReturnType<typeof promtool> {
  const directory = mkdtempSync(join(tmpdir(), 'spillway-rules-'));
  try {
    writeFileSync(join(directory, 'rules.yml'), text);
    return promtool(['check', 'rules', join(directory, 'rules.yml')]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
