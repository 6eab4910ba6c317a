import { rmSync } from 'node:fs';
import { endWithParent, say } from './talk.js';

/**
 * Outlives a parent that was killed with SIGKILL and clears away what it left: processes that can't notice by
 * themselves (redis-server, the console) and temporary directories. After an orderly stop it has nothing to do.
 */
export interface KeeperOrder {
  readonly pids: readonly number[];
  readonly directories: readonly string[];
}

let order: KeeperOrder = { pids: [], directories: [] };

process.on('message', (message) => {
  if (typeof message === 'object' && message !== null) order = message as KeeperOrder;
});
process.on('SIGTERM', () => undefined);
process.on('SIGHUP', () => undefined);
process.prependListener('disconnect', () => {
  for (const pid of order.pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
  for (const directory of order.directories) {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  }
});
endWithParent(async () => undefined);
say({ kind: 'ready' });
