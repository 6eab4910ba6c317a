import { failedDeploy } from './failed-deploy.js';
import { fullRedis } from './full-redis.js';
import { fullRedisPolicy } from './full-redis-policy.js';
import { noisyNeighbour } from './noisy-neighbour.js';
import { overloadedLayer } from './overloaded-layer.js';
import type { Drill } from './scenario.js';
import { silentSubscriber } from './silent-subscriber.js';

/** The incidents that can be backtested. Adding a drill is one file and one line here. */
export const DRILLS: readonly Drill[] = [
  fullRedis,
  fullRedisPolicy,
  overloadedLayer,
  noisyNeighbour,
  silentSubscriber,
  failedDeploy,
];

/** The drill of that name, or null. */
export function findDrill(name: string): Drill | null {
  return DRILLS.find((drill) => drill.name === name) ?? null;
}
