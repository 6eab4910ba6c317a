import { type Activity, createDrillActivity } from './activity.js';
import { checkDelivery, startAlertReceiver } from './alert-receiver.js';
import { watchAlerts } from './alert-watch.js';
import { createApi } from './api.js';
import { newTokens } from './console-settings.js';
import { TIMES_SHORTER } from './drill-times.js';
import type { Drill } from './scenario.js';
import { createWorld, portFrom } from './world.js';

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

const SHORTER = `A drill is short: the times of alert rules are a ${TIMES_SHORTER}th; what they say is unchanged.`;

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
 * @returns what happened when; activity with failures is a drill that failed.
 */
export async function runDrill(drill: Drill, options: RunOptions): Promise<Activity> {
  const { print } = options;
  const asked = whenAskedToEnd();
  const activity = createDrillActivity(print, Date.now);
  const world = await createWorld({
    maxmemoryBytes: options.maxmemoryBytes ?? drill.maxmemoryBytes,
    ...(drill.withSentinel ? { withSentinel: true } : {}),
    onAccident: (text) => activity.check(text, false),
  });
  const receiver = options.isAuto && drill.alerts.delivered !== undefined ? await startAlertReceiver() : null;
  try {
    await Promise.race([asked.promise, play()]);
  } catch (error) {
    activity.check(
      'the drill runs to its end',
      false,
      error instanceof Error ? error.message : String(error),
    );
  } finally {
    asked.forget();
    if (!options.isAuto) print('\nEnding everything that was started.');
    await world.stop();
    await receiver?.stop();
  }
  return activity;

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
    const incident = await drill.start(world, activity, { jobs: options.jobs ?? null });
    const api = createApi(address, tokens);
    const alerts = watchAlerts(api, activity, drill.alerts);
    await incident.develop(api);
    if (options.isAuto) {
      await incident.resolve(api, alerts);
      await alerts.stop();
      if (receiver && delivered !== undefined)
        await checkDelivery(activity, receiver, alerts.notifiedOf(delivered), address);
      return;
    }
    activity.note('over to you');
    await incident.follow();
  }
}
