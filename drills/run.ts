import { DrillActivity } from './activity.js';
import type { AlertTable } from './alert-checks.js';
import { checkDelivery, startAlertReceiver } from './alert-receiver.js';
import { type AlertWatch, watchAlerts } from './alert-watch.js';
import { Api } from './api.js';
import { type ConsoleSettings, newTokens, TIMES_SHORTER } from './console-settings.js';
import { startWorld, type World } from './world.js';

/** One incident as a runnable world: it builds the world, lets it happen, and holds what the console says against it. */
export interface Drill extends Pick<ConsoleSettings, 'tenantField' | 'spillway'> {
  readonly name: string;
  /** What happens, in a sentence. */
  readonly about: string;
  /** maxmemory of its Redis unless asked otherwise. */
  readonly maxmemoryBytes: number;
  /** Its Redis is a master with a replica, under Sentinel. */
  readonly withSentinel?: boolean;
  /** What each role sees is checked: with --auto its console wants tokens. A person needs none. */
  readonly hasRoles?: boolean;
  /** What alerts, and about whom: checked with --auto. */
  readonly alerts: AlertTable;
  /** For a person at the console: what to look at and what to try, a line each. */
  readonly guide: readonly string[];
  /** Starts producers and workers. Returns at once; the incident then develops by itself. */
  readonly start: (stage: DrillStage, size: DrillSize) => Promise<DrillIncident>;
}

/** What all of a drill's steps have at hand. */
export interface DrillStage {
  readonly world: World;
  readonly activity: DrillActivity;
}

/** How large a drill is played, where it can be played smaller. */
interface DrillSize {
  /** Jobs of its largest part, which replays or drains them; null: as many as the drill has by itself. */
  readonly jobs: number | null;
}

/** An incident on its way. */
interface DrillIncident {
  /** Resolves when it has developed as far as it goes by itself; the API is for what others enter at the console meanwhile. */
  readonly develop?: (api: Api) => Promise<void>;
  /** How it goes on, and what is noted of it, while a person is at work in the console. */
  readonly follow?: () => Promise<void>;
  /** Resolves it through the JSON API alone, and checks what was before and what is after. */
  readonly resolve: (api: Api, alerts: AlertWatch) => Promise<void>;
}

interface RunOptions extends DrillSize {
  /** true: a script resolves it through the JSON API; else it stays until a person does. */
  readonly isAuto: boolean;
  /** The first port to try for the console. */
  readonly port: number;
  /** null: that of the drill. */
  readonly maxmemoryBytes: number | null;
  /** Takes a line of output. */
  readonly print: (line: string) => void;
}

/**
 * Builds the drill's world, lets the incident happen and ends everything it started, whatever happens.
 * @returns what happened when; activity with failures is a drill that failed.
 */
export async function runDrill(drill: Drill, options: RunOptions): Promise<DrillActivity> {
  const { isAuto, print } = options;
  const asked = whenAskedToEnd();
  const activity = new DrillActivity(print, Date.now);
  const world = await startWorld(
    options.maxmemoryBytes ?? drill.maxmemoryBytes,
    drill.withSentinel ?? false,
    (text) => activity.check(text, false),
  );
  const receiver = isAuto && drill.alerts.delivered !== undefined ? await startAlertReceiver() : null;
  try {
    await Promise.race([asked.promise, play()]);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    activity.check('the drill runs to its end', false, message);
  } finally {
    asked.forget();
    if (!isAuto) print('\nEnding everything that was started.');
    await world.stop();
    await receiver?.stop();
  }
  return activity;

  async function play(): Promise<void> {
    const { tenantField, spillway, alerts: table } = drill;
    const tokens = drill.hasRoles && isAuto ? newTokens() : undefined;
    const address = await world.serveConsole(options.port, {
      ...(tenantField === undefined ? {} : { tenantField }),
      ...(spillway === undefined ? {} : { spillway }),
      ...(tokens ? { tokens } : {}),
      ...(table.rules === undefined ? {} : { rules: table.rules }),
      ...(receiver ? { webhook: { url: receiver.url, secret: receiver.secret } } : {}),
    });
    print(`\n${drill.name}: ${drill.about}.\n\n  Console  ${address}\n  Redis    ${world.redisUrl}\n`);
    print(
      `  A drill is short: the times of alert rules are a ${TIMES_SHORTER}th; what they say is unchanged.\n`,
    );
    if (!isAuto) print([...drill.guide.map((line) => `  ${line}`), '  Ctrl-C ends everything.\n'].join('\n'));
    const incident = await drill.start({ world, activity }, options);
    const api = new Api(address, tokens);
    const alerts = watchAlerts(api, activity, table);
    await incident.develop?.(api);
    if (!isAuto) {
      activity.note('over to you');
      await incident.follow?.();
      return asked.promise;
    }
    await incident.resolve(api, alerts);
    await alerts.stop();
    if (receiver && table.delivered !== undefined)
      await checkDelivery(activity, receiver, alerts.notifiedOf(table.delivered), address);
  }
}

/**
 * Stops everybody, then holds every id that producers and workers reported against what Redis holds.
 * @param removed ids of jobs that somebody removed by hand.
 */
export async function checkNothingLost(
  { world, activity }: DrillStage,
  queues: readonly string[],
  removed: readonly string[] = [],
): Promise<void> {
  const { client } = world.redis;
  await world.stopPlayers();
  for (const queue of queues) {
    const balance = await world.ledger.balance(client, queue);
    const missing = balance.lost.filter((id) => !removed.includes(id));
    // A killed process can't say what it has just completed; Redis knows, where completed jobs are kept.
    const ends = await Promise.all(missing.map((id) => client.hexists(`bull:${queue}:${id}`, 'finishedOn')));
    const unsaid = ends.filter((isThere) => isThere === 1).length;
    const completed = balance.completed + unsaid;
    const byHand = removed.length === 0 ? ['', ''] : [' + removed by hand', ` + ${removed.length}`];
    activity.check(
      `no job lost in ${queue}: completed + in Redis${byHand[0]} = accepted`,
      missing.length === unsaid && completed + balance.inRedis + removed.length === balance.accepted,
      `${completed} + ${balance.inRedis}${byHand[1]} = ${balance.accepted}; lost ${missing.length - unsaid}, completed by processes that were killed before they said so ${unsaid}; refused adds ${balance.refused}, of them kept by Redis ${balance.refusedButKept}`,
    );
  }
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
