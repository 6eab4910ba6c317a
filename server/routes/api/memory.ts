import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';
import { apiPart, instanceParam, jsonRoute, queueIn, queueParam, snapshotOf } from './env.js';
import { CountSchema, InstanceMemorySchema, presentCount, presentMemory } from './memory-schemas.js';

const memoryRoute = jsonRoute(
  {
    method: 'get',
    path: '/instances/{instance}/memory',
    summary: 'Where the memory of a Redis is: by queue, state, job type and kind of data, and beside queues',
    request: { params: instanceParam },
  },
  InstanceMemorySchema,
);

const COUNT_PATH = '/instances/{instance}/queues/{queue}/memory/count';

const startRoute = jsonRoute(
  {
    method: 'post',
    path: COUNT_PATH,
    summary: 'Count every job of a queue, within the budget of reads; one queue of a Redis at a time',
    request: { params: queueParam },
  },
  CountSchema,
);

const progressRoute = jsonRoute(
  {
    method: 'get',
    path: COUNT_PATH,
    summary: 'How far the count of a queue is',
    request: { params: queueParam },
  },
  CountSchema,
);

const stopRoute = jsonRoute(
  { method: 'delete', path: COUNT_PATH, summary: 'Stop counting a queue', request: { params: queueParam } },
  CountSchema,
);

export function memoryApi(deps: AppDeps) {
  const queueOf = (instance: string, queue: string) => queueIn(snapshotOf(deps, instance), queue);
  return apiPart()
    .openapi(memoryRoute, (c) => c.json(presentMemory(snapshotOf(deps, c.req.valid('param').instance)), 200))
    .openapi(startRoute, (c) => {
      const { instance, queue } = c.req.valid('param');
      return c.json(presentCount(deps.watch.startCount(instance, queueOf(instance, queue).id)), 200);
    })
    .openapi(progressRoute, (c) => {
      const { instance, queue } = c.req.valid('param');
      const { id, count } = queueOf(instance, queue);
      if (!count) throw neverCounted(id);
      return c.json(presentCount(count), 200);
    })
    .openapi(stopRoute, (c) => {
      const { instance, queue } = c.req.valid('param');
      const { id } = queueOf(instance, queue);
      const count = deps.watch.stopCount(instance, id);
      if (!count) throw neverCounted(id);
      return c.json(presentCount(count), 200);
    });
}

function neverCounted(queueId: string): Problem {
  return new Problem(404, 'not-found', `nobody has asked to count ${queueId}`);
}
