/** The type that a beacon has unless another is asked for. */
export const BEACON_TYPE = 'spillway.beacon';

/** The queue does not take a beacon, or Redis does not. The message tells why. */
export class BeaconRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BeaconRefused';
  }
}
