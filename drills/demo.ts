import { fullRedis } from './full-redis.js';
import { runDrill } from './run.js';

const account = await runDrill(fullRedis, { isAuto: false, port: 3000, print: console.log });
process.exitCode = account.failures().length === 0 ? 0 : 1;
