import type { AlertWatch } from './alert-watch.js';
import type { Api, ApiFinding } from './api.js';
import { checkNothingLost } from './check-nothing-lost.js';
import { PATIENCE } from './drill-times.js';
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
import type { Drill } from './scenario.js';
import { waitFor } from './wait-for.js';

const FLUSH_MISSING = 'flush-missing';

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
        scope: { queue: `bull:${FAILED_DEPLOY_TRUTH.queue}`, type: FAILED_DEPLOY_TRUTH.absent },
        condition: { kind: 'finding', code: 'jobtype.absent', leastSeverity: 'info' },
        forSeconds: 3,
        keepFiringSeconds: 3,
      },
    ],
    expected: [
      {
        rule: 'type-failing',
        queue: FAILED_DEPLOY_TRUTH.queue,
        type: FAILED_DEPLOY_TRUTH.failing,
        from: 'the deploy',
        noticedWithinSeconds: 15,
        until: 'the fix',
        overWithinSeconds: 20,
      },
      {
        rule: FLUSH_MISSING,
        queue: FAILED_DEPLOY_TRUTH.queue,
        type: FAILED_DEPLOY_TRUTH.absent,
        from: 'the deploy',
        noticedWithinSeconds: 25,
      },
    ],
  },
  guide: [
    'After 12 s release 2.7.0 is deployed; its marker is on the timeline (Workers, below).',
    `Which type fails, since when, with what error, and what happened just before? (It is ${FAILED_DEPLOY_TRUTH.failing}.)`,
    'And which type that came regularly comes no more?',
  ],
  start: async (world, activity) => {
    const stage = await startMonitors(world, activity);
    return {
      async develop(api) {
        await keepSteady(stage);
        await deploy(stage, api);
      },
      async follow() {
        await checkFailing(stage);
        await waitFor(() => false, Number.POSITIVE_INFINITY);
      },
      resolve: (api, alerts) => resolveFailedDeploy(stage, api, alerts),
    };
  },
};

const NAMED_WITHIN_MS = 15_000;
/** A type that came twice a second has to be missing for some time before it is a fact. */
const ABSENT_WITHIN_MS = 25_000;
const FIRST_FAILURE_WITHIN_MS = 5_000;

/** What the person at the console would look for, through the JSON API alone. */
async function resolveFailedDeploy(stage: DeployStage, api: Api, alerts: AlertWatch): Promise<void> {
  await checkFailing(stage);
  await checkMarked(stage, api);
  await checkFailingNamed(stage, api);
  await checkAbsentNamed(stage, api);
  await alerts.untilNotified('the deploy');
  await replayWhatFailed(stage, api);
  await alerts.conclude();
  await checkNothingLost(stage, [FAILED_DEPLOY_TRUTH.queue], stage.removed);
}

async function checkMarked({ activity, deployedAtMs }: DeployStage, api: Api): Promise<void> {
  const entries = await api.timeline();
  const marker = entries.find(
    ({ kind, text }) => kind === 'marker.deploy' && text === FAILED_DEPLOY_TRUTH.marker,
  );
  activity.check(
    'the deploy is on the timeline, at its time',
    marker !== undefined && Math.abs(Date.parse(marker.at) - deployedAtMs) <= 1_000,
    `${marker?.at ?? 'not there'}, of ${entries.length} entries`,
  );
}

async function checkFailingNamed({ activity, world }: DeployStage, api: Api): Promise<void> {
  const { isFound, findings, text } = await findingAbout(
    'jobtype.failing',
    FAILED_DEPLOY_TRUTH.failing,
    api,
    NAMED_WITHIN_MS,
  );
  const firstFailureAtMs =
    world.ledger.firstFailureAtMs(FAILED_DEPLOY_TRUTH.queue, FAILED_DEPLOY_TRUTH.failing) ?? Number.NaN;
  activity.check(
    `the failing type is named: ${FAILED_DEPLOY_TRUTH.failing}`,
    isFound,
    isFound ? text.slice(0, 200) : codesOf(findings),
  );
  activity.check(
    'and no healthy type is',
    findings.every(
      (finding) =>
        finding.code !== 'jobtype.failing' ||
        !FAILED_DEPLOY_TRUTH.healthy.some((name) => finding.jobType === name),
    ),
  );
  const named = findings.find(
    (one) => one.code === 'jobtype.failing' && one.jobType === FAILED_DEPLOY_TRUTH.failing,
  );
  const saidAtMs = named ? firstFailureIn(named) : null;
  activity.check(
    `its first failure is told to within ${FIRST_FAILURE_WITHIN_MS / 1000} s`,
    saidAtMs !== null && Math.abs(saidAtMs - firstFailureAtMs) <= FIRST_FAILURE_WITHIN_MS,
    `${saidAtMs === null ? 'not there' : new Date(saidAtMs).toISOString()}, it was ${new Date(firstFailureAtMs).toISOString()}`,
  );
  activity.check('the error is told', FAILED_DEPLOY_TRUTH.error.test(text));
  activity.check('the deploy is told beside it', text.includes(FAILED_DEPLOY_TRUTH.marker));
}

async function checkAbsentNamed({ activity }: DeployStage, api: Api): Promise<void> {
  const { isFound, findings, text } = await findingAbout(
    'jobtype.absent',
    FAILED_DEPLOY_TRUTH.absent,
    api,
    ABSENT_WITHIN_MS,
  );
  activity.check(
    `the type that stopped coming is named: ${FAILED_DEPLOY_TRUTH.absent}`,
    isFound,
    isFound ? text.slice(0, 200) : codesOf(findings),
  );
  activity.check(
    'and no type that still comes is',
    findings.every(
      (finding) =>
        finding.code !== 'jobtype.absent' ||
        ![...FAILED_DEPLOY_TRUTH.healthy, FAILED_DEPLOY_TRUTH.failing].some(
          (name) => finding.jobType === name,
        ),
    ),
  );
}

/** Waits for a finding of this code about a job type. `text`: all that it says. */
async function findingAbout(code: string, jobType: string, api: Api, withinMs: number) {
  let findings: readonly ApiFinding[] = [];
  const found = (): ApiFinding | undefined =>
    findings.find((finding) => finding.code === code && finding.jobType === jobType);
  await waitFor(async () => {
    findings = await api.findings();
    return found() !== undefined;
  }, withinMs * PATIENCE);
  const finding = found();
  return { isFound: finding !== undefined, findings, text: finding ? textOf(finding) : '' };
}

function textOf({ headline, sentence, evidence }: ApiFinding): string {
  return [headline, sentence, ...evidence.map(({ label, value }) => `${label}: ${value}`)].join(' | ');
}

/** The moment of the first failure, by the evidence; null: it is not there. */
function firstFailureIn(finding: ApiFinding): number | null {
  const piece = finding.evidence.find(({ name }) => name === 'first-failure');
  const atMs = Date.parse(String(piece?.value));
  return Number.isFinite(atMs) ? atMs : null;
}

function codesOf(findings: readonly ApiFinding[]): string {
  return `none in ${findings.map(({ code }) => code).join(', ') || 'no findings'}`;
}
