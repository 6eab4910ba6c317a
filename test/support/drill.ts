import { execFile } from 'node:child_process';
import { freePort } from '../../drills/own-redis.js';
import { packagePath } from '../../server/process/package-path.js';

/** The drill runs as a person would run it, from dist: the build comes before the tests. */
export const DRILL = packagePath('dist/drills/drill.js');

/** Runs a drill by itself to its end; it waits longer than promised, as tests share the machine. */
export async function runDrillToEnd(
  name: string,
  env: NodeJS.ProcessEnv,
  more: readonly string[],
  withinMs: number,
): Promise<{ readonly code: number; readonly output: string; readonly failed: readonly string[] }> {
  const args = [DRILL, name, '--port', String(await freePort()), '--auto', ...more];
  return new Promise((resolve) => {
    const options = { env: { ...env, SPILLWAY_DRILL_WAIT_FACTOR: '3' }, timeout: withinMs };
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      const output = stdout + stderr;
      resolve({
        code: typeof error?.code === 'number' ? error.code : error ? -1 : 0,
        output,
        failed: output.split('\n').filter((line) => line.includes('FAILED')),
      });
    });
  });
}

/** A line of the account that says a claim held. */
export function held(claim: string): RegExp {
  return new RegExp(`ok +${claim.replace(/[()+?.*]/g, '\\$&')}`);
}
