import { OTHER_TYPES } from '../../../agent/protocol.js';
import { formatBytes, formatCount, formatJobs, formatRatio } from '../../model/format.js';
import type { Parking } from '../../model/parking.js';
import { PARKABLE_STATES } from '../../model/parking.js';
import { ALL_PERMITTED, switchedOff } from '../../model/permits.js';
import { whyReadOnly } from '../../model/queue-kind.js';
import type { Snapshot } from '../../model/snapshot.js';
import type { RecordEvent } from '../../model/timeline-entry.js';
import { every, type Loop, reasonOf } from '../../process/every.js';
import type { Watch } from '../../watch/watch.js';
import type { PolicyParking, PolicyView } from '../spillway-policy.js';
import { decideSpillway, type InstancePolicy, type PolicyAct } from '../spillway-policy.js';
import type { Parkings } from './parkings.js';

/** What the policy looks at: the tightest node of an instance, what waits there by type, and what it parked before. */
function policyViewOf(snapshot: Snapshot, parkings: readonly Parking[]): PolicyView | null {
  const nodes = snapshot.nodes.filter(({ limit }) => limit !== null && limit.bytes > 0);
  const [node] = [...nodes].sort((a, b) => (b.usedRatio ?? 0) - (a.usedRatio ?? 0));
  if (!node?.limit) return null;
  // What was parked before comes back all the same.
  const canPark = switchedOff(snapshot.permits ?? ALL_PERMITTED, 'queue.park') === null;
  return {
    usedBytes: node.countedBytes,
    limitBytes: node.limit.bytes,
    waiting: snapshot.queues.flatMap((queue) => {
      if (!canPark || whyReadOnly(queue) !== null) return [];
      // What is active or waits for children stays; the samples don't tell those apart by type.
      const { waiting, prioritized, delayed, active, waitingChildren } = queue.counts;
      const movable = waiting + prioritized + delayed;
      const share = movable / Math.max(1, movable + active + waitingChildren);
      const named = (queue.memory?.types ?? []).filter(({ type }) => type !== '' && type !== OTHER_TYPES);
      return named.map((type) => ({
        queue: queue.id,
        queueName: queue.name,
        type: type.type,
        jobs: Math.floor(type.unfinished * share),
        bytes: Math.floor(type.backlogBytes * share),
      }));
    }),
    parkings: parkings
      .filter(({ origin, instance }) => origin === 'policy' && instance === snapshot.instance)
      .map((parking) => ofPolicy(parking, snapshot)),
  };
}

function ofPolicy(parking: Parking, snapshot: Snapshot): PolicyParking {
  const { id, queue, jobTypes, remaining, parked, freedBytes, phase, state, pausedBy } = parking;
  return {
    id,
    queue,
    queueName: snapshot.queues.find((known) => known.id === queue)?.name ?? queue,
    jobTypes: jobTypes ?? [],
    remaining,
    remainingBytes: parked === 0 ? 0 : Math.round((freedBytes * remaining) / parked),
    phase,
    state,
    pausedBy,
  };
}

interface PoliciesDeps {
  readonly rules: readonly InstancePolicy[];
  readonly watch: Pick<Watch, 'snapshot'>;
  readonly parkings: Parkings;
  readonly recordEvent: RecordEvent;
  readonly now: () => number;
  /** Of several consoles on one store, is it this one that acts? */
  readonly isLeader: () => boolean;
  readonly warn: (message: string) => void;
}

/** Memory moves by seconds; a parking of some thousand jobs takes about as long. */
const EVERY_MS = 2_000;
/** What a dry run would do is said again only after this. */
const SAY_AGAIN_MS = 60_000;
const MAX_PARKINGS = 500;

/** Looks at every instance that has a policy, again and again, and does or says what it asks for. */
export function runPolicies(deps: PoliciesDeps): Loop {
  const policies = deps.rules.filter(({ mode }) => mode !== 'off');
  const saidAtMs = new Map<string, number>();
  const look = async (): Promise<void> => {
    if (!deps.isLeader()) return;
    const failed: string[] = [];
    for (const policy of policies) {
      const fail = (error: unknown): void => void failed.push(`${policy.instance}: ${reasonOf(error)}`);
      await applyPolicy({ ...deps, fail }, policy, saidAtMs).catch(fail);
    }
    if (failed.length > 0) throw new Error(failed.join('; '));
  };
  const loop = every(EVERY_MS, look, (error) => deps.warn(`the spillway policy fails: ${reasonOf(error)}`));
  if (policies.length > 0) loop.start();
  return loop;
}

/** Does memory stand where a policy that is on would act now, by what was last seen? */
export function isPolicyNeeded({ rules, watch }: Pick<PoliciesDeps, 'rules' | 'watch'>): boolean {
  return rules.some(({ mode, instance, highRatio }) => {
    const nodes = mode === 'on' ? (watch.snapshot(instance)?.nodes ?? []) : [];
    return nodes.some(({ limit, countedBytes }) => limit !== null && countedBytes >= highRatio * limit.bytes);
  });
}

/** One look at one instance. Every act is recorded on the timeline; in a dry run it is recorded and not done. */
export async function applyPolicy(
  deps: Omit<PoliciesDeps, 'rules' | 'isLeader' | 'warn'> & {
    /** Told of what keeps it from acting. */
    readonly fail?: (error: unknown) => void;
  },
  policy: InstancePolicy,
  saidAtMs: Map<string, number>,
): Promise<readonly PolicyAct[]> {
  const snapshot = deps.watch.snapshot(policy.instance);
  if (snapshot?.link.status !== 'live') {
    deps.fail?.('the console does not see this Redis now');
    return [];
  }
  const parkings = await deps.parkings.list({ instance: policy.instance, limit: MAX_PARKINGS });
  const view = policyViewOf(snapshot, parkings);
  if (!view) return [];
  const acts = decideSpillway(policy, view);
  const usedRatio = view.usedBytes / view.limitBytes;
  for (const act of acts) {
    if (policy.mode === 'dry-run' && !isNews(saidAtMs, act, deps.now())) continue;
    try {
      if (policy.mode === 'on') await carryOut(deps.parkings, policy, act);
      recordAct(deps, policy, act, `${policy.mode === 'on' ? '' : 'Would have: '}${inWords(act, usedRatio)}`);
    } catch (error) {
      deps.fail?.(error);
      const why = error instanceof Error ? error.message : 'unknown reason';
      if (isNews(saidAtMs, act, deps.now()))
        recordAct(deps, policy, act, `Could not: ${inWords(act, usedRatio)} ${why}.`);
    }
  }
  return acts;
}

async function carryOut(parkings: Parkings, policy: InstancePolicy, act: PolicyAct): Promise<void> {
  if (act.kind === 'hold') await parkings.change(act.parking, { state: 'paused', by: 'policy' });
  else if (act.kind === 'restore')
    await parkings.restore(act.parking, { ratePerSecond: policy.restorePerSecond, guard: true });
  else
    await parkings.begin({
      instance: policy.instance,
      queue: act.queue,
      states: PARKABLE_STATES,
      jobTypes: [act.jobType],
      most: act.most,
      reason: `memory is above ${formatRatio(policy.highRatio)} of the limit`,
      actor: 'spillway policy',
      origin: 'policy',
    });
}

function isNews(saidAtMs: Map<string, number>, act: PolicyAct, nowMs: number): boolean {
  const key = act.kind === 'park' ? `park ${act.queue} ${act.jobType}` : `${act.kind} ${act.parking}`;
  if (nowMs - (saidAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < SAY_AGAIN_MS) return false;
  saidAtMs.set(key, nowMs);
  return true;
}

function inWords(act: PolicyAct, usedRatio: number): string {
  const at = `memory at ${formatRatio(usedRatio)}`;
  if (act.kind === 'hold') return `Bringing jobs back to ${act.queue} is held (${at}).`;
  if (act.kind === 'restore') return `Brings ${formatJobs(act.jobs)} back to ${act.queue} (${at}).`;
  return `Parks up to ${formatCount(act.most)} ${act.jobType} jobs of ${act.queue}, about ${formatBytes(act.expectedBytes)} (${at}).`;
}

function recordAct(
  deps: Pick<PoliciesDeps, 'recordEvent' | 'now'>,
  { instance }: InstancePolicy,
  { queue }: PolicyAct,
  text: string,
): void {
  deps.recordEvent({
    atMs: deps.now(),
    instance,
    kind: 'policy.acted',
    queue,
    worker: null,
    text,
    actor: null,
  });
}
