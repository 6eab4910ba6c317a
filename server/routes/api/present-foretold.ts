import type { z } from '@hono/zod-openapi';
import type { Foretold } from '../../levers/foretell.js';
import type { ForetoldSchema } from './plan-schemas.js';

/** Without the curve of memory, which GET …/plan has: a group of queues would make the answer too long. */
export function presentForetold(foretold: Foretold | null): z.infer<typeof ForetoldSchema> | null {
  if (!foretold) return null;
  const { notKnown, drainRange, throughputPerSecond, bottleneck, fullInSeconds } = foretold.plan;
  const [low, high] = drainRange;
  const drainSeconds = notKnown === null ? foretold.plan.drainSeconds : null;
  return {
    drainSeconds,
    drainNotKnown: notKnown,
    drainRange: { low, high },
    throughputPerSecond,
    bottleneck,
    fullInSeconds,
  };
}
