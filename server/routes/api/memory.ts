import type { AppDeps } from '../../app-deps.js';
import { apiPart, instanceParam, jsonRoute, snapshotOf } from './env.js';
import { InstanceMemorySchema } from './memory-schemas.js';
import { presentMemory } from './present-memory.js';

const memoryRoute = jsonRoute(
  {
    method: 'get',
    path: '/instances/{instance}/memory',
    summary: 'Where the memory of a Redis is: by queue, state, job type and kind of data, and beside queues',
    request: { params: instanceParam },
  },
  InstanceMemorySchema,
);

export function memoryApi(deps: AppDeps) {
  return apiPart().openapi(memoryRoute, (c) =>
    c.json(presentMemory(snapshotOf(deps, c.req.valid('param').instance)), 200),
  );
}
