import type { AlertWatch } from './alert-watch.js';
import { type Api, type ApiFinding, codesOf, evidenceNamed, textOf, untilFound } from './api.js';
import { replayWhatFailed } from './failed-deploy-replay.js';
import {
  checkFailing,
  type DeployStage,
  deploy,
  FAILED_DEPLOY_TRUTH,
  keepSteady,
  startMonitors,
} from './failed-deploy-world.js';
import { MB } from './own-redis.js';
import { checkNothingLost, type Drill } from './run.js';

const { queue, failing, absent, healthy, marker, error } = FAILED_DEPLOY_TRUTH;
const FLUSH_MISSING = 'flush-missing';
const NAMED_WITHIN_MS = 15_000;
/** A type that came twice a second has to be missing for some time before it is a fact. */
const ABSENT_WITHIN_MS = 25_000;
const FIRST_FAILURE_WITHIN_MS = 5_000;

/** incidents.md, 5: a deploy makes runs of one type fail, for what the release before left in a cache. */
export const failedDeploy: Drill = {
  name: 'failed-deploy',
  about:
    'a deploy, marked on the timeline, makes nine of ten jobs of one type fail; another type stops coming',
  maxmemoryBytes: 128 * MB,
  alerts: {
    // By itself the console does not wake anybody for a habit of a few minutes; who knows that it is one says so.
    rules: [
      {
        id: FLUSH_MISSING,
        name: 'Caches are not flushed',
        severity: 'warning',
        scope: { queue: `bull:${queue}`, type: absent },
        condition: { kind: 'finding', code: 'jobtype.absent', leastSeverity: 'info' },
        ...{ forSeconds: 3, keepFiringSeconds: 3 },
      },
    ],
    expected: [
      {
        ...{ rule: 'type-failing', queue, type: failing },
        ...{ from: 'the deploy', noticedWithinSeconds: 15, until: 'the fix', overWithinSeconds: 20 },
      },
      { rule: FLUSH_MISSING, queue, type: absent, from: 'the deploy', noticedWithinSeconds: 25 },
    ],
  },
  guide: [
    'After 12 s release 2.7.0 is deployed; its marker is on the timeline (Workers, below).',
    `Which type fails, since when, with what error, and what happened just before? (It is ${failing}.)`,
    'And which type that came regularly comes no more?',
  ],
  async start(parts) {
    const stage = await startMonitors(parts);
    return {
      async develop(api) {
        await keepSteady(stage);
        await deploy(stage, api);
      },
      follow: () => checkFailing(stage),
      resolve: (api, alerts) => resolve(stage, api, alerts),
    };
  },
};

/** What the person at the console would look for, through the JSON API alone. */
async function resolve(stage: DeployStage, api: Api, alerts: AlertWatch): Promise<void> {
  await checkFailing(stage);
  await checkMarked(stage, api);
  await checkFailingNamed(stage, api);
  await checkNamed(stage, api, {
    code: 'jobtype.absent',
    jobType: absent,
    withinMs: ABSENT_WITHIN_MS,
    claim: 'the type that stopped coming is named',
    others: [...healthy, failing],
    noOther: 'and no type that still comes is',
  });
  await alerts.untilNotified('the deploy');
  await replayWhatFailed(stage, api);
  await alerts.conclude();
  await checkNothingLost(stage, [queue], stage.removed);
}

async function checkMarked({ activity, deployedAtMs }: DeployStage, api: Api): Promise<void> {
  const entries = await api.timeline();
  const found = entries.find(({ kind, text }) => kind === 'marker.deploy' && text === marker);
  activity.check(
    'the deploy is on the timeline, at its time',
    found !== undefined && Math.abs(Date.parse(found.at) - deployedAtMs) <= 1_000,
    `${found?.at ?? 'not there'}, of ${entries.length} entries`,
  );
}

async function checkFailingNamed(stage: DeployStage, api: Api): Promise<void> {
  const { activity, world } = stage;
  const named = await checkNamed(stage, api, {
    code: 'jobtype.failing',
    jobType: failing,
    withinMs: NAMED_WITHIN_MS,
    claim: 'the failing type is named',
    others: healthy,
    noOther: 'and no healthy type is',
  });
  const text = named ? textOf(named) : '';
  const saidAtMs = named ? Date.parse(String(evidenceNamed(named, 'first-failure'))) : Number.NaN;
  const firstAtMs = world.ledger.firstFailureAtMs(queue, failing) ?? Number.NaN;
  activity.check(
    `its first failure is given to within ${FIRST_FAILURE_WITHIN_MS / 1000} s`,
    Math.abs(saidAtMs - firstAtMs) <= FIRST_FAILURE_WITHIN_MS,
    `${timeOf(saidAtMs)}, it was ${timeOf(firstAtMs)}`,
  );
  activity.check('the error is shown', error.test(text));
  activity.check('the deploy is shown beside it', text.includes(marker));
}

interface Naming {
  readonly code: string;
  readonly jobType: string;
  readonly withinMs: number;
  readonly claim: string;
  /** Types of which it must not be said. */
  readonly others: readonly string[];
  readonly noOther: string;
}

/** Waits for a finding of this code about a job type. */
async function checkNamed({ activity }: DeployStage, api: Api, naming: Naming): Promise<ApiFinding | null> {
  const { code, jobType, withinMs, claim, others, noOther } = naming;
  const isAbout = (one: ApiFinding, name: string): boolean => one.code === code && one.jobType === name;
  const { finding, findings } = await untilFound(api, (one) => isAbout(one, jobType), withinMs);
  activity.check(
    `${claim}: ${jobType}`,
    finding !== undefined,
    finding ? textOf(finding).slice(0, 200) : codesOf(findings),
  );
  activity.check(
    noOther,
    findings.every((one) => !others.some((name) => isAbout(one, name))),
  );
  return finding ?? null;
}

function timeOf(atMs: number): string {
  return Number.isFinite(atMs) ? new Date(atMs).toISOString() : 'not there';
}
