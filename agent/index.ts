export { type Attached, attach, health, healthHandler } from './attach.js';
export type { Health, HealthOptions, WorkerHealth } from './health.js';
export type { AttachOptions } from './options.js';
export type { AttachableWorker } from './worker-shape.js';
