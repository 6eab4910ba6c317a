import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectMetrics } from '../../server/routes/exposition.js';
import { NOW_MS } from './snapshot.js';

/** Names of metrics in a text of PromQL, and those of them that `/metrics` does not have. */
export function metricsIn(text: string): {
  readonly all: readonly string[];
  readonly unknown: readonly string[];
} {
  const all = [...new Set(text.match(/\bspillway_[a-z0-9_]+/g) ?? [])];
  const families = [...collectMetrics([], { nowMs: NOW_MS, maxQueues: 10, findings: [] })];
  const known = new Set(families.map(({ name }) => name));
  return { all, unknown: all.filter((name) => !known.has(name)) };
}

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
