import type { Role } from '../server/model/role.js';
import { dominantTenant } from '../server/model/tenant-text.js';
import type { AlertWatch } from './alert-watch.js';
import type { Api, ApiFinding } from './api.js';
import { checkNothingLost } from './check-nothing-lost.js';
import { PATIENCE } from './drill-times.js';
import { isRestored, NOISY_NEIGHBOUR_TRUTH, type NoisyStage, waitsInWords } from './noisy-neighbour-world.js';
import { inMegabytes, usedBytes, waitingIn } from './own-redis.js';
import { sleep, waitFor } from './wait-for.js';

const NAMED_WITHIN_MS = 15_000;
const RESTORED_WITHIN_MS = 20_000;
const KEPT_MS = 4_000;
/** So slow that nobody feels it: each takes 8 ms of one event loop and 20 ms downstream. */
const CAP = { max: 2, durationMs: 1000 };
const REASON = 'drill noisy-neighbour: the resync must not hold up the probes';
const ACTIONS_THAT_HOLD_BACK = ['queue.pause', 'queue.concurrency', 'queue.rate-limit'];

/** What the person at the console would do, through the JSON API alone, with checks before and after. */
export async function resolveNoisyNeighbour(stage: NoisyStage, api: Api, alerts: AlertWatch): Promise<void> {
  const source = await findSource(stage, api);
  await checkTenant(stage, api);
  await alerts.untilNotified('the resync begins');
  await capSource(stage, api, source);
  await checkRestored(stage, api);
  await alerts.conclude();
  await checkNothingLost(stage, [...NOISY_NEIGHBOUR_TRUTH.victims, NOISY_NEIGHBOUR_TRUTH.source]);
}

/** The queue that the findings name as the source of other queues' trouble, as its id; null: none. */
export function namedSource(findings: readonly ApiFinding[]): string | null {
  return noisy(findings)?.queue ?? null;
}

function noisy(findings: readonly ApiFinding[]): ApiFinding | undefined {
  return findings.find(({ code }) => code === 'queue.noisy-neighbour');
}

/** @returns the id of the queue to hold back: the one that is named, else the one that it is. */
async function findSource({ activity, floodedAtMs }: NoisyStage, api: Api): Promise<string> {
  const truth = `bull:${NOISY_NEIGHBOUR_TRUTH.source}`;
  let findings: readonly ApiFinding[] = [];
  await waitFor(async () => {
    findings = await api.findings();
    return namedSource(findings) !== null;
  }, NAMED_WITHIN_MS * PATIENCE);
  const named = namedSource(findings);
  const finding = noisy(findings);
  const tookSeconds = (Date.now() - floodedAtMs) / 1000;
  activity.check(
    'the source is named by a finding, and it is the right one',
    named === truth,
    finding
      ? `${tookSeconds.toFixed(1)} s after it began: ${finding.sentence.slice(0, 160)}`
      : `none in ${findings.map(({ code, queue }) => `${code} ${queue ?? ''}`).join(', ')}`,
  );
  const text = JSON.stringify([finding?.sentence, finding?.queues, finding?.evidence]);
  activity.check(
    'its evidence names both queues that are held up',
    NOISY_NEIGHBOUR_TRUTH.victims.every((victim) => text.includes(victim)),
    (finding?.evidence ?? [])
      .map(({ label, value }) => `${label} ${value}`)
      .join('; ')
      .slice(0, 200),
  );
  activity.check(
    'no probe queue is named as a source',
    findings.every(
      ({ code, queue }) =>
        code !== 'queue.noisy-neighbour' ||
        !NOISY_NEIGHBOUR_TRUTH.victims.some((name) => queue === `bull:${name}`),
    ),
  );
  activity.check(
    'it offers to hold back the source, and the source alone',
    (finding?.remedies ?? []).some(
      ({ action, queues }) =>
        ACTIONS_THAT_HOLD_BACK.includes(action) && queues.length === 1 && queues[0] === truth,
    ),
    (finding?.remedies ?? []).map(({ label }) => label).join('; '),
  );
  // What the actions do is measured whether or not the source was found.
  return named ?? truth;
}

/** Whose jobs they are is in job data: for those who may see these, and for nobody else. */
async function checkTenant({ activity }: NoisyStage, api: Api): Promise<void> {
  const seenBy = async (role: Role) => (await api.as(role).queue(NOISY_NEIGHBOUR_TRUTH.source)).tenants;
  await waitFor(async () => dominantTenant(await seenBy('operator')) !== null, NAMED_WITHIN_MS * PATIENCE);
  const tenants = await seenBy('operator');
  const found = dominantTenant(tenants);
  activity.check(
    'the tenant that holds most of the source is named to an operator, and it is the right one',
    found?.tenant === NOISY_NEIGHBOUR_TRUTH.tenant,
    found
      ? `${found.tenant}: ${(100 * found.shareRatio).toFixed(0)}% ± ${(100 * found.error).toFixed(0)}%`
      : `none in ${JSON.stringify(tenants)}`,
  );
  activity.check('and not to a viewer, who may not see job data', (await seenBy('viewer')) === null);
}

async function capSource(stage: NoisyStage, api: Api, source: string): Promise<void> {
  const { activity, world } = stage;
  activity.note(
    'before the cap',
    `${waitsInWords(stage)}; ${inMegabytes(await usedBytes(world.redis))} used`,
  );
  activity.moment('the cap');
  const outcomes = await api.patch(`/instances/default/queues/${encodeURIComponent(source)}`, {
    rateLimit: CAP,
    reason: REASON,
  });
  activity.check(
    'the source alone is capped',
    outcomes.applied === 1 && outcomes.failed === 0 && outcomes.outcomes[0]?.queue === source,
    `${outcomes.outcomes[0]?.summary ?? ''} ${await waitingIn(world.redis, NOISY_NEIGHBOUR_TRUTH.source)} wait`,
  );
}

async function checkRestored(stage: NoisyStage, api: Api): Promise<void> {
  const { activity, world } = stage;
  const cappedAtMs = Date.now();
  await activity.checkWithin(
    `probes wait at most twice as long as normally within ${RESTORED_WITHIN_MS / 1000} s`,
    RESTORED_WITHIN_MS,
    () => isRestored(stage),
    () => `${((Date.now() - cappedAtMs) / 1000).toFixed(1)} s after the cap; ${waitsInWords(stage)}`,
  );
  const done = world.ledger.completed(NOISY_NEIGHBOUR_TRUTH.source);
  const fromMs = Date.now();
  await sleep(KEPT_MS);
  const perSecond =
    ((world.ledger.completed(NOISY_NEIGHBOUR_TRUTH.source) - done) * 1000) / (Date.now() - fromMs);
  activity.check(
    'and the resync goes on at its cap',
    perSecond > 0 && perSecond <= (1.5 * CAP.max * 1000) / CAP.durationMs,
    `${perSecond.toFixed(1)}/s; ${waitsInWords(stage)}`,
  );
  const after = namedSource(await api.findings());
  activity.note(
    'what the console says now',
    after === null ? 'no noisy neighbour' : `${after} is still named`,
  );
}
