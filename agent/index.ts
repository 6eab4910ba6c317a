export { type Attached, attach } from './attach.js';
export type { AttachOptions } from './options.js';
export type { AttachableWorker } from './worker-shape.js';
