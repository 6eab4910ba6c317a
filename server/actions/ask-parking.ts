import { ActionError } from '../model/action.js';
import { ParkingError } from '../replay/parking/parking.js';

/** An action answers a person; what is not parked or back by then goes on in the background. */
export const PARKING_ANSWER_MS = 15_000;

/** What parking refuses, as an action says it. */
export async function asAction<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ParkingError)) throw error;
    const isOfRequest = error.code === 'not-found' || error.code === 'invalid';
    throw new ActionError(isOfRequest ? error.code : 'unavailable', error.message);
  }
}
