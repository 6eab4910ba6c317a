import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { startReceiver } from '../test/support/receiver.js';
import type { DrillActivity } from './activity.js';
import type { SeenAlert } from './alert-checks.js';
import { waitFor } from './wait-for.js';

const OLDEST_SECONDS = 300;

/** What a webhook is sent, as the README promises it: read here by somebody who has only read that. */
interface WebhookMessage {
  readonly status: 'firing' | 'resolved';
  readonly headline: string;
  readonly since: string;
  readonly alerts: readonly {
    readonly alertId: string;
    readonly rule: string;
    readonly endsAt: string | null;
    readonly evidence: string | null;
  }[];
  readonly firstRemedy: string | null;
  readonly link: string | null;
}

interface ReceivedAlert {
  readonly message: WebhookMessage;
  /** The same for each try to deliver it. */
  readonly id: string;
  /** Signed with the secret, over the time in its header, which is now. */
  readonly isGenuine: boolean;
}

/** The pager of a drill: a receiver on this machine that keeps what it is sent. */
interface AlertReceiver {
  readonly url: string;
  readonly secret: string;
  readonly deliveries: readonly ReceivedAlert[];
  stop(): Promise<void>;
}

export async function startAlertReceiver(): Promise<AlertReceiver> {
  const secret = randomBytes(24).toString('hex');
  const deliveries: ReceivedAlert[] = [];
  const receiver = await startReceiver();
  receiver.answer(({ headers, body }, response) => {
    deliveries.push({
      message: JSON.parse(body) as WebhookMessage,
      id: String(headers['idempotency-key'] ?? ''),
      isGenuine: isGenuine(headers, body, secret),
    });
    response.end();
  });
  return { url: `${receiver.url}/alerts`, secret, deliveries, stop: receiver.stop };
}

function isGenuine(headers: IncomingHttpHeaders, body: string, secret: string): boolean {
  const timestamp = String(headers['x-spillway-timestamp'] ?? '');
  const expected = Buffer.from(
    `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`,
  );
  const given = Buffer.from(String(headers['x-spillway-signature'] ?? ''));
  const ageSeconds = Math.abs(Date.now() / 1000 - Number(timestamp));
  return given.length === expected.length && timingSafeEqual(given, expected) && ageSeconds < OLDEST_SECONDS;
}

const DELIVERED_WITHIN_MS = 10_000;

/**
 * Holds what somebody was sent of one rule against what alerted: one message when it fires and one when it is over.
 * @param address of the console, which links of messages open.
 */
export async function checkDelivery(
  activity: DrillActivity,
  { deliveries }: AlertReceiver,
  fired: readonly SeenAlert[],
  address: string,
): Promise<void> {
  const [only] = fired;
  const ofIt = (status: 'firing' | 'resolved'): readonly ReceivedAlert[] =>
    deliveries.filter(
      ({ message }) =>
        message.status === status && message.alerts.some(({ alertId }) => alertId === only?.alert.id),
    );
  await waitFor(() => ofIt('resolved').length > 0, DELIVERED_WITHIN_MS);
  const [firing, resolved] = [ofIt('firing'), ofIt('resolved')];
  activity.check(
    `somebody is sent one message when ${only?.alert.rule.id} fires, and one when it is over`,
    fired.length === 1 && firing.length === 1 && resolved.length === 1,
    deliveries.map(({ message: { status, headline } }) => `${status}: ${headline}`).join('; ') || 'nothing',
  );
  const sent = firing[0]?.message;
  const [notice] = sent?.alerts ?? [];
  const opened = sent?.link ? await fetch(sent.link).then(({ status }) => status) : 0;
  activity.check(
    'it says what is wrong, since when, the evidence, the first remedy and where to look',
    sent !== undefined &&
      sent.headline !== '' &&
      sent.since === only?.alert.since &&
      (notice?.evidence ?? null) !== null &&
      sent.firstRemedy !== null &&
      (sent.link ?? '').startsWith(`${address}/`) &&
      opened === 200,
    sent &&
      `${sent.headline}, since ${sent.since}; ${notice?.evidence}; ${sent.firstRemedy?.slice(0, 80)}; ${sent.link} answers ${opened}`,
  );
  activity.check(
    'the end names the same alert and its time',
    resolved[0]?.message.alerts.some(({ endsAt }) => endsAt === only?.alert.resolvedAt) ?? false,
    resolved[0]?.message.headline,
  );
  activity.check(
    'every message is signed with the secret, and none was sent twice',
    deliveries.length > 0 &&
      deliveries.every(({ isGenuine }) => isGenuine) &&
      new Set(deliveries.map(({ id }) => id)).size === deliveries.length,
    `${deliveries.length} messages`,
  );
}
