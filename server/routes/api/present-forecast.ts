import type { z } from '@hono/zod-openapi';
import type { Forecast } from '../../model/action.js';
import type { ForecastSchema } from './plan-schemas.js';

/** Without the curve of memory, which GET …/plan has: a group of queues would make the answer too long. */
export function presentForecast(forecast: Forecast | null): z.infer<typeof ForecastSchema> | null {
  if (!forecast) return null;
  const { notKnown, drainRange, throughputPerSecond, bottleneck, fullInSeconds } = forecast.plan;
  const [low, high] = drainRange;
  const drainSeconds = notKnown === null ? forecast.plan.drainSeconds : null;
  return {
    drainSeconds,
    drainNotKnown: notKnown,
    drainRange: { low, high },
    throughputPerSecond,
    bottleneck,
    fullInSeconds,
  };
}
