import type { Activity } from './account.js';
import { PATIENCE } from './alert-patience.js';
import type { AlertWatch } from './alert-watch.js';
import type { Api, ApiParking } from './api.js';
import { ANALYTICS, API, backlogs, MB } from './full-redis-players.js';
import { waitFor } from './wait-for.js';
import type { Player, World } from './world.js';

export interface PolicyStage {
  readonly world: World;
  readonly account: Activity;
  readonly limitBytes: number;
  readonly surgeJobs: number;
  readonly analytics: Player;
  readonly api: Player;
}

/** Slots that fill the analytics client's batches. */
const SLOTS = 1_000;
const LOOK_EVERY_MS = 250;
const SURGE_WITHIN_MS = 45_000;
const DRAINED_WITHIN_MS = 60_000;
const REASON = 'drill full-redis-policy: fill the batches';

/** The surge comes and goes while nobody does anything; then one order to the workers, and all that was parked runs. */
export async function resolveByPolicy(stage: PolicyStage, api: Api, alerts: AlertWatch): Promise<void> {
  const parkedIds = await outliveSurge(stage, api);
  stage.account.moment('the surge is over');
  await catchUp(stage, api);
  await alerts.conclude();
  await checkTold(stage, api);
  await checkEachOnce(stage, parkedIds);
}

/** @returns ids of jobs that were seen on disk while the surge went on. */
async function outliveSurge(stage: PolicyStage, api: Api): Promise<ReadonlySet<string>> {
  const { world, account, limitBytes } = stage;
  const seen = new Set<string>();
  const looked = new Set<string>();
  let peakBytes = 0;
  const look = async (): Promise<void> => {
    peakBytes = Math.max(peakBytes, await usedBytes(world));
    for (const { id, phase, state, remaining } of await api.parkings()) {
      const which = `${id} ${phase} ${state}`;
      if (remaining === 0 || looked.has(which)) continue;
      looked.add(which);
      for (const jobId of await api.parkedIds(id)) seen.add(jobId);
    }
  };
  const isOver = await waitFor(
    async () => {
      await look();
      return world.ledger.accepted(ANALYTICS) >= stage.surgeJobs;
    },
    SURGE_WITHIN_MS * PATIENCE,
    LOOK_EVERY_MS,
  );
  account.check('the surge comes and goes while nobody does anything', isOver);
  const parkings = await api.parkings();
  const freedBytes = total(parkings, 'freedBytes');
  account.check(
    'analytics jobs are parked before memory runs out, and of no other queue',
    total(parkings, 'parked') > 0 &&
      parkings.every(({ queue, origin }) => queue === `bull:${ANALYTICS}` && origin === 'policy'),
    `${total(parkings, 'parked')} jobs in ${parkings.length} parkings; ${await backlogs(world)}`,
  );
  account.check(
    'without it Redis would have been full',
    peakBytes < limitBytes && peakBytes + freedBytes > limitBytes,
    `${megabytes(peakBytes)} used at most and ${megabytes(freedBytes)} parked, of ${megabytes(limitBytes)}`,
  );
  return seen;
}

/** What somebody does who trusts the page: slots for the batches. What is parked comes back by itself. */
async function catchUp({ world, account, analytics, api: server }: PolicyStage, api: Api): Promise<void> {
  const { ledger } = world;
  await analytics.stop();
  await api.patch(`/instances/default/queues/bull%3A${ANALYTICS}/workers`, {
    concurrency: SLOTS,
    reason: REASON,
  });
  let parkings: readonly ApiParking[] = [];
  const isBack = await waitFor(
    async () => {
      parkings = await api.parkings();
      return total(parkings, 'remaining') === 0 && ledger.completed(ANALYTICS) >= ledger.accepted(ANALYTICS);
    },
    DRAINED_WITHIN_MS * PATIENCE,
    LOOK_EVERY_MS,
  );
  account.check(
    'all that was parked comes back by itself, and the backlog drains',
    isBack && total(parkings, 'restored') === total(parkings, 'parked'),
    `${total(parkings, 'parked')} parked = ${total(parkings, 'restored')} restored + ${total(parkings, 'existed')} existed + ${total(parkings, 'fellBack')} fell back + ${total(parkings, 'remaining')} remaining; ${await backlogs(world)}`,
  );
  await server.stop();
  await waitFor(() => ledger.completed(API) >= ledger.accepted(API), DRAINED_WITHIN_MS * PATIENCE);
  account.check(
    'Redis has never refused a job of the API',
    ledger.refused(API) === 0 && ledger.accepted(API) > 0,
    `${ledger.accepted(API)} accepted, ${ledger.refused(API)} refused; of analytics ${ledger.accepted(ANALYTICS)} accepted, ${ledger.refused(ANALYTICS)} refused; ${ledger.workerErrors()} worker errors`,
  );
}

async function checkTold({ account }: PolicyStage, api: Api): Promise<void> {
  const acts = (await api.timeline()).filter(({ kind }) => kind === 'policy.acted').map(({ text }) => text);
  account.check(
    'the timeline tells what was parked and what was brought back',
    acts.some((text) => text.startsWith('Parks')) && acts.some((text) => text.startsWith('Brings')),
    `${acts.length} entries; ${acts.at(-1) ?? 'none'}`,
  );
}

async function checkEachOnce({ world, account }: PolicyStage, parkedIds: ReadonlySet<string>): Promise<void> {
  await world.stopPlayers();
  const { ledger } = world;
  const completed = ledger.told('completed', ANALYTICS);
  const wrong = (ids: Iterable<string>): readonly string[] =>
    [...ids].filter((id) => completed.get(id) !== 1);
  const wrongParked = wrong(parkedIds);
  account.check(
    'every parked job has run exactly once, by id',
    parkedIds.size > 0 && wrongParked.length === 0,
    `${parkedIds.size} ids were seen on disk; wrong: ${inWords(wrongParked, completed)}`,
  );
  for (const queue of [ANALYTICS, API]) {
    const told = ledger.told('completed', queue);
    const accepted = [...ledger.told('accepted', queue).keys()];
    const wrongIds = accepted.filter((id) => told.get(id) !== 1);
    account.check(
      `every job of ${queue} has run exactly once, by id`,
      wrongIds.length === 0 && accepted.length > 0,
      `${accepted.length} accepted; wrong: ${inWords(wrongIds, told)}`,
    );
  }
}

function inWords(ids: readonly string[], completed: ReadonlyMap<string, number>): string {
  if (ids.length === 0) return 'none';
  const named = ids.slice(0, 5).map((id) => `${id} ${completed.get(id) ?? 0} times`);
  return `${ids.length}: ${named.join(', ')}`;
}

function total(
  parkings: readonly ApiParking[],
  field: 'parked' | 'restored' | 'existed' | 'fellBack' | 'remaining' | 'freedBytes',
): number {
  return parkings.reduce((sum, parking) => sum + parking[field], 0);
}

async function usedBytes(world: World): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await world.redis.client.info('memory'))?.[1]);
}

function megabytes(bytes: number): string {
  return `${(bytes / MB).toFixed(1)} MB`;
}
