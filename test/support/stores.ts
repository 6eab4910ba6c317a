import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { openStore, type Store } from '../../server/open-store.js';

/**
 * Stores in one directory, as consoles that run beside each other or after a restart open them. Each test has a directory
 * of its own; what it opened is closed after it, behind what the file's own afterEach does.
 */
export function storesOfEachTest(): {
  readonly directory: string;
  open(): Promise<Store>;
  closeAll(): void;
} {
  let directory = '';
  const stores: Store[] = [];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'spillway-store-'));
  });
  const closeAll = (): void => {
    for (const store of stores.splice(0)) store.close();
  };
  afterEach(async () => {
    closeAll();
    await rm(directory, { recursive: true, force: true });
  });
  return {
    get directory() {
      return directory;
    },
    async open() {
      const store = await openStore(directory);
      stores.push(store);
      expect(store.problem).toBeNull();
      return store;
    },
    closeAll,
  };
}
