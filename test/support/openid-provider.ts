import { fork } from 'node:child_process';
import { once } from 'node:events';
import { packagePath } from '../../server/process/package-path.js';

interface Plan {
  readonly port: number;
  readonly clientSecret: string;
  readonly consoleUrl: string;
}

/** A provider that runs. */
export interface OpenidProvider {
  /** What it says of everybody from now on: their groups; null: there is no such person any more. */
  tell(people: Readonly<Record<string, readonly string[] | null>>): Promise<void>;
  stop(): Promise<void>;
  /** Itself, or another in its place where it has stopped. */
  alive(): Promise<OpenidProvider>;
}

/** Starts `openid-provider.mjs` and waits until it listens. */
export async function startOpenidProvider(plan: Plan): Promise<OpenidProvider> {
  const child = fork(packagePath('test/support/openid-provider.mjs'), [JSON.stringify(plan)], {
    silent: true,
  });
  const gone = once(child, 'exit');
  await Promise.race([
    once(child, 'message'),
    gone.then(([code]) => Promise.reject(new Error(`the provider ended with ${code}`))),
  ]);
  const provider: OpenidProvider = {
    async tell(people) {
      const heard = once(child, 'message');
      child.send(people);
      await heard;
    },
    async stop() {
      child.kill('SIGKILL');
      await gone;
    },
    alive: async () => (child.connected ? provider : startOpenidProvider(plan)),
  };
  return provider;
}
