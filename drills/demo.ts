import { fullRedis } from './full-redis.js';
import { runDrill } from './run.js';

const activity = await runDrill(fullRedis, { isAuto: false, port: 3000, print: console.log });
// What the incident was still waiting for when it was asked to end must not keep the process.
process.exit(activity.failures().length === 0 ? 0 : 1);
