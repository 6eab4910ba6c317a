import { z } from 'zod';

/** Jobs a second at which parked ones come back, at most; for API and action alike. */
export const RestoreRateSchema = z
  .number('must be jobs per second')
  .positive('must be above 0')
  .max(100_000, 'must be at most 100,000');
