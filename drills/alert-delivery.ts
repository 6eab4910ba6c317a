import type { Activity } from './account.js';
import type { AlertReceiver, Delivery } from './alert-receiver.js';
import type { SeenAlert } from './alert-table.js';
import { PATIENCE } from './patience.js';
import { waitFor } from './wait-for.js';

const DELIVERED_WITHIN_MS = 10_000;

/**
 * Holds what somebody was sent of one rule against what alerted: one message when it fires and one when it is over.
 * @param address of the console, which links of messages open.
 */
export async function checkDelivery(
  account: Activity,
  { deliveries }: AlertReceiver,
  fired: readonly SeenAlert[],
  address: string,
): Promise<void> {
  const [only] = fired;
  const ofIt = (status: 'firing' | 'resolved'): readonly Delivery[] =>
    deliveries.filter(
      ({ message }) =>
        message.status === status && message.alerts.some(({ alertId }) => alertId === only?.alert.id),
    );
  await waitFor(() => ofIt('resolved').length > 0, DELIVERED_WITHIN_MS * PATIENCE);
  const [firing, resolved] = [ofIt('firing'), ofIt('resolved')];
  account.check(
    `somebody is sent one message when ${only?.alert.rule.id} fires, and one when it is over`,
    fired.length === 1 && firing.length === 1 && resolved.length === 1,
    deliveries.map(({ message: { status, title } }) => `${status}: ${title}`).join('; ') || 'nothing',
  );
  const told = firing[0]?.message;
  const [notice] = told?.alerts ?? [];
  const opened = told?.link ? await fetch(told.link).then(({ status }) => status) : 0;
  account.check(
    'it says what is wrong, since when, the evidence, the first remedy and where to look',
    told !== undefined &&
      told.title !== '' &&
      told.since === only?.alert.since &&
      (notice?.evidence ?? null) !== null &&
      told.firstRemedy !== null &&
      (told.link ?? '').startsWith(`${address}/`) &&
      opened === 200,
    told &&
      `${told.title}, since ${told.since}; ${notice?.evidence}; ${told.firstRemedy?.slice(0, 80)}; ${told.link} answers ${opened}`,
  );
  account.check(
    'the end names the same alert and its time',
    resolved[0]?.message.alerts.some(({ endsAt }) => endsAt === only?.alert.resolvedAt) ?? false,
    resolved[0]?.message.title,
  );
  account.check(
    'every message is signed with the secret, and none was sent twice',
    deliveries.length > 0 &&
      deliveries.every(({ isGenuine }) => isGenuine) &&
      new Set(deliveries.map(({ id }) => id)).size === deliveries.length,
    `${deliveries.length} messages`,
  );
}
