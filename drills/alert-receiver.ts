import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

const OLDEST_SECONDS = 300;

/** What a webhook is told, as the README promises it: read here by somebody who has only read that. */
export interface WebhookMessage {
  readonly status: 'firing' | 'resolved';
  readonly title: string;
  readonly since: string;
  readonly alerts: readonly {
    readonly alertId: string;
    readonly rule: string;
    readonly endsAt: string | null;
    readonly summary: string;
    readonly evidence: string | null;
  }[];
  readonly firstRemedy: string | null;
  readonly link: string | null;
}

export interface Delivery {
  readonly message: WebhookMessage;
  /** The same for each try to deliver it. */
  readonly id: string;
  /** Signed with the secret, over the time in its header, which is now. */
  readonly isGenuine: boolean;
}

/** The pager of a drill: a receiver on this machine that keeps what it is sent. */
export interface AlertReceiver {
  readonly url: string;
  readonly secret: string;
  readonly deliveries: readonly Delivery[];
  stop(): Promise<void>;
}

export async function startAlertReceiver(): Promise<AlertReceiver> {
  const secret = randomBytes(24).toString('hex');
  const deliveries: Delivery[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      deliveries.push({
        message: JSON.parse(body) as WebhookMessage,
        id: headerOf(request, 'idempotency-key'),
        isGenuine: isGenuine(request, body, secret),
      });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`,
    secret,
    deliveries,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function isGenuine(request: IncomingMessage, body: string, secret: string): boolean {
  const timestamp = headerOf(request, 'x-spillway-timestamp');
  const expected = Buffer.from(
    `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`,
  );
  const given = Buffer.from(headerOf(request, 'x-spillway-signature'));
  const ageSeconds = Math.abs(Date.now() / 1000 - Number(timestamp));
  return given.length === expected.length && timingSafeEqual(given, expected) && ageSeconds < OLDEST_SECONDS;
}

function headerOf(request: IncomingMessage, name: string): string {
  return String(request.headers[name] ?? '');
}
