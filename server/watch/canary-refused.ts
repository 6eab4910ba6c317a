/** The type that a canary job has unless another is asked for. */
export const BEACON_TYPE = 'spillway.canary';

/** The queue does not take a canary job, or Redis does not. The message tells why. */
export class CanaryRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CanaryRefused';
  }
}
