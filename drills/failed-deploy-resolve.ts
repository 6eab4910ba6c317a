import { PATIENCE } from './alert-patience.js';
import type { AlertWatch } from './alert-watch.js';
import type { Api, ApiFinding } from './api.js';
import { replayWhatFailed } from './failed-deploy-replay.js';
import { checkFailing, checkNothingLost, type DeployStage, TRUTH } from './failed-deploy-world.js';
import { waitFor } from './wait-for.js';

const NAMED_WITHIN_MS = 15_000;
/** A type that came twice a second has to be missing for some time before it is a fact. */
const ABSENT_WITHIN_MS = 25_000;
const FIRST_FAILURE_WITHIN_MS = 5_000;

/** What the person at the console would look for, through the JSON API alone. */
export async function resolveFailedDeploy(stage: DeployStage, api: Api, alerts: AlertWatch): Promise<void> {
  await checkFailing(stage);
  await checkMarked(stage, api);
  await checkFailingNamed(stage, api);
  await checkAbsentNamed(stage, api);
  await alerts.untilTold('the deploy');
  await replayWhatFailed(stage, api);
  await alerts.conclude();
  await checkNothingLost(stage);
}

async function checkMarked({ account, deployedAtMs }: DeployStage, api: Api): Promise<void> {
  const entries = await api.timeline();
  const marker = entries.find(({ kind, text }) => kind === 'marker.deploy' && text === TRUTH.marker);
  account.check(
    'the deploy is on the timeline, at its time',
    marker !== undefined && Math.abs(Date.parse(marker.at) - deployedAtMs) <= 1_000,
    `${marker?.at ?? 'not there'}, of ${entries.length} entries`,
  );
}

async function checkFailingNamed({ account, world }: DeployStage, api: Api): Promise<void> {
  const { isFound, findings, told } = await findingAbout(
    'jobtype.failing',
    TRUTH.failing,
    api,
    NAMED_WITHIN_MS,
  );
  const firstFailureAtMs = world.ledger.firstFailureAtMs(TRUTH.queue, TRUTH.failing) ?? Number.NaN;
  account.check(
    `the failing type is named: ${TRUTH.failing}`,
    isFound,
    isFound ? told.slice(0, 200) : codesOf(findings),
  );
  account.check(
    'and no healthy type is',
    findings.every(
      (finding) =>
        finding.code !== 'jobtype.failing' || !TRUTH.healthy.some((name) => isAbout(finding, name)),
    ),
  );
  const named = findings.find((one) => one.code === 'jobtype.failing' && isAbout(one, TRUTH.failing));
  const saidAtMs = named ? firstFailureIn(named) : null;
  account.check(
    `its first failure is told to within ${FIRST_FAILURE_WITHIN_MS / 1000} s`,
    saidAtMs !== null && Math.abs(saidAtMs - firstFailureAtMs) <= FIRST_FAILURE_WITHIN_MS,
    `${saidAtMs === null ? 'not told' : new Date(saidAtMs).toISOString()}, it was ${new Date(firstFailureAtMs).toISOString()}`,
  );
  account.check('the error is told', TRUTH.error.test(told));
  account.check('the deploy is told beside it', told.includes(TRUTH.marker));
}

async function checkAbsentNamed({ account }: DeployStage, api: Api): Promise<void> {
  const { isFound, findings, told } = await findingAbout(
    'jobtype.absent',
    TRUTH.absent,
    api,
    ABSENT_WITHIN_MS,
  );
  account.check(
    `the type that stopped coming is named: ${TRUTH.absent}`,
    isFound,
    isFound ? told.slice(0, 200) : codesOf(findings),
  );
  account.check(
    'and no type that still comes is',
    findings.every(
      (finding) =>
        finding.code !== 'jobtype.absent' ||
        ![...TRUTH.healthy, TRUTH.failing].some((name) => isAbout(finding, name)),
    ),
  );
}

/** Waits for a finding of this code about a job type. `told`: all that it says. */
async function findingAbout(code: string, jobType: string, api: Api, withinMs: number) {
  let findings: readonly ApiFinding[] = [];
  const found = (): ApiFinding | undefined =>
    findings.find((finding) => finding.code === code && isAbout(finding, jobType));
  await waitFor(async () => {
    findings = await api.findings();
    return found() !== undefined;
  }, withinMs * PATIENCE);
  const finding = found();
  return { isFound: finding !== undefined, findings, told: finding ? textOf(finding) : '' };
}

function isAbout(finding: ApiFinding, jobType: string): boolean {
  return finding.jobType === jobType;
}

function textOf({ title, sentence, evidence }: ApiFinding): string {
  return [title, sentence, ...evidence.map(({ label, value }) => `${label}: ${value}`)].join(' | ');
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
