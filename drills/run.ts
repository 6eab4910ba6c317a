import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Activity, createActivity } from './account.js';
import { PATIENCE, TIMES_SHORTER } from './alert-patience.js';
import type { SeenAlert } from './alert-table.js';
import { watchAlerts } from './alert-watch.js';
import { createApi } from './api.js';
import { newTokens } from './console-settings.js';
import type { Drill } from './scenario.js';
import { waitFor } from './wait-for.js';
import { createWorld, portFrom } from './world.js';

const OLDEST_SECONDS = 300;

/** What a webhook is told, as the README promises it: read here by somebody who has only read that. */
interface WebhookMessage {
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

interface Delivery {
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
  readonly deliveries: readonly Delivery[];
  stop(): Promise<void>;
}

async function startAlertReceiver(): Promise<AlertReceiver> {
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

const DELIVERED_WITHIN_MS = 10_000;

/**
 * Holds what somebody was sent of one rule against what alerted: one message when it fires and one when it is over.
 * @param address of the console, which links of messages open.
 */
async function checkDelivery(
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

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const LOOK_EVERY_MS = 1_000;

/**
 * Resolves at Ctrl-C, at any other signal that asks for an end, and when the process that started this one is gone:
 * npm's shell dies of a signal without passing it on.
 */
function whenAskedToEnd(): { readonly promise: Promise<void>; forget(): void } {
  const parent = process.ppid;
  let ask = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const timer = setInterval(() => {
    if (process.ppid !== parent) ask();
  }, LOOK_EVERY_MS);
  for (const signal of SIGNALS) process.on(signal, ask);
  process.on('disconnect', ask);
  return {
    promise,
    forget() {
      clearInterval(timer);
      // The signals stay caught: a second Ctrl-C must not cut the tidying up short.
      process.off('disconnect', ask);
    },
  };
}

const SHORTER = `A drill is short: alert rules have a ${TIMES_SHORTER}th of their patience; what they say is unchanged.`;

export interface RunOptions {
  /** true: a script resolves it through the JSON API; else it stays until a person does. */
  readonly isAuto: boolean;
  /** The first port to try for the console. */
  readonly port: number;
  readonly maxmemoryBytes?: number;
  /** Jobs that are replayed or drained, where the drill says how many by itself. */
  readonly jobs?: number;
  /** Takes a line of output. */
  readonly print: (line: string) => void;
}

/**
 * Builds the drill's world, lets the incident happen and ends everything it started, whatever happens.
 * @returns what happened when; an account with failures is a drill that failed.
 */
export async function runDrill(drill: Drill, options: RunOptions): Promise<Activity> {
  const { print } = options;
  const asked = whenAskedToEnd();
  const account = createActivity(print, Date.now);
  const world = await createWorld({
    maxmemoryBytes: options.maxmemoryBytes ?? drill.maxmemoryBytes,
    ...(drill.withSentinel ? { withSentinel: true } : {}),
    onAccident: (text) => account.check(text, false),
  });
  const receiver = options.isAuto && drill.alerts.delivered !== undefined ? await startAlertReceiver() : null;
  try {
    await Promise.race([asked.promise, play()]);
  } catch (error) {
    account.check('the drill runs to its end', false, error instanceof Error ? error.message : String(error));
  } finally {
    asked.forget();
    if (!options.isAuto) print('\nEnding everything that was started.');
    await world.stop();
    await receiver?.stop();
  }
  return account;

  async function play(): Promise<void> {
    const { delivered, rules } = drill.alerts;
    const tokens = drill.hasRoles && options.isAuto ? newTokens() : undefined;
    const address = await world.serveConsole(await portFrom(options.port), {
      ...(drill.tenantField === undefined ? {} : { tenantField: drill.tenantField }),
      ...(drill.spillway === undefined ? {} : { spillway: drill.spillway }),
      ...(tokens ? { tokens } : {}),
      ...(rules === undefined ? {} : { rules }),
      ...(receiver ? { webhook: { url: receiver.url, secret: receiver.secret } } : {}),
    });
    print(`\n${drill.name}: ${drill.about}.\n\n  Console  ${address}\n  Redis    ${world.redisUrl}\n`);
    print(`  ${SHORTER}\n`);
    if (!options.isAuto)
      print([...drill.guide.map((line) => `  ${line}`), '  Ctrl-C ends everything.\n'].join('\n'));
    const incident = await drill.start(world, account, { jobs: options.jobs ?? null });
    const api = createApi(address, tokens);
    const alerts = watchAlerts(api, account, drill.alerts);
    await incident.develop(api);
    if (options.isAuto) {
      await incident.resolve(api, alerts);
      await alerts.stop();
      if (receiver && delivered !== undefined)
        await checkDelivery(account, receiver, alerts.toldOf(delivered), address);
      return;
    }
    account.note('over to you');
    await incident.follow();
  }
}
