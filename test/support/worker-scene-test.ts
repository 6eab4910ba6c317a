import { test } from 'vitest';
import { startWorkerScene, type WorkerScene } from './worker-scene.js';

/** `it` with a Redis, a console and workers of its own, so that the tests of a file can wait side by side. */
export const it = test.extend<{ readonly scene: WorkerScene }>({
  scene: async ({ task: _task }, use) => {
    const scene = await startWorkerScene();
    await use(scene);
    await scene.stop();
  },
});
