import type { FC } from 'hono/jsx';
import { formatBytes, formatCount, formatDuration, formatJobs } from '../server/model/format.js';
import { type MemoryAfter, memoryAfterInWords } from '../server/model/queue-verdict.js';
import type { DryRun } from '../server/model/replay.js';
import { plainName } from '../server/model/words.js';
import { Ago } from './ago.js';
import { type Chrome, Layout } from './layout.js';
import { jobPath, queuePath } from './links.js';
import { ReplayForm, type ReplayFormProps } from './replay-form.js';

/** What a replay would take, and what follows from it. */
interface ReplayEstimate extends DryRun {
  readonly estimatedMatched: number;
  readonly predictedSeconds: number;
  readonly memory: MemoryAfter | null;
  readonly warnings: readonly string[];
}

interface ReplayPreviewProps {
  readonly found: ReplayEstimate;
  readonly instance: string;
  readonly form: ReplayFormProps;
  readonly nowMs: number;
}

const MAX_GROUPS = 10;
const MAX_JOBS = 10;

/** A look at what a replay would take, before it is started from here. Its address can be passed on. */
export const ReplayPreview: FC<{ readonly chrome: Chrome; readonly view: ReplayPreviewProps }> = ({
  chrome,
  view: { found, instance, form, nowMs },
}) => (
  <Layout chrome={chrome}>
    <section class="replay replay-found" aria-labelledby="replay-found-title">
      <h1 id="replay-found-title">
        {found.isComplete ? '' : 'About '}
        {formatJobs(found.estimatedMatched)} match
      </h1>
      {found.isComplete ? null : <p class="muted">{formatCount(found.lookedAt)} were looked at.</p>}
      {found.estimatedMatched === 0 ? (
        <p>Nothing to replay: change what is asked for.</p>
      ) : (
        <>
          <Effect found={found} rate={form.values.ratePerSecond ?? ''} />
          {found.warnings.map((warning) => (
            <p class="state-word state-warning">{warning}</p>
          ))}
          <div class="replay-buttons">
            <form method="post" action="/replays">
              {Object.entries(form.values).map(([name, value]) => (
                <input type="hidden" name={name} value={value} />
              ))}
              <button type="submit" class="button is-primary">
                Start: replay {found.isComplete ? '' : 'about '}
                {formatJobs(found.estimatedMatched)}
              </button>
            </form>
            {found.sample[0] ? (
              <a href={`${queuePath(instance, found.sample[0].queue)}#canary-title`}>
                Send a canary job first
              </a>
            ) : null}
          </div>
          <div class="replay-groups">
            <Groups title="By type" groups={found.byType} />
            <Groups title="By error" groups={found.byError} />
            <Sample
              found={found}
              instance={instance}
              isParked={form.values.from === 'parked'}
              nowMs={nowMs}
            />
          </div>
        </>
      )}
    </section>
    <details class="replay-change" open={found.estimatedMatched === 0}>
      <summary>Change what is replayed</summary>
      <ReplayForm {...form} />
    </details>
  </Layout>
);

/** How long, and what memory it takes: the two that hurt. */
const Effect: FC<{ readonly found: ReplayEstimate; readonly rate: string }> = ({ found, rate }) => (
  <dl class="chips">
    <div class="chip">
      <dt>runs</dt>
      <dd>
        {formatDuration(found.predictedSeconds)} at {rate}/s
      </dd>
    </div>
    <div class="chip">
      <dt>memory</dt>
      <dd>
        {found.addedBytes === 0
          ? 'no more: the jobs are in Redis'
          : found.memory === null
            ? `about ${formatBytes(found.addedBytes)} more, no limit`
            : memoryAfterInWords(found.memory)}
      </dd>
    </div>
  </dl>
);

const Groups: FC<{ readonly title: string; readonly groups: DryRun['byType'] }> = ({ title, groups }) =>
  groups.length === 0 ? null : (
    <section>
      <h2>{title}</h2>
      <ul>
        {groups.slice(0, MAX_GROUPS).map(({ name, jobs }) => (
          <li>
            <strong>{formatCount(jobs)}</strong> {plainName(name)}
          </li>
        ))}
      </ul>
    </section>
  );

const Sample: FC<{
  readonly found: DryRun;
  readonly instance: string;
  /** Then they are on disk, and have no page. */
  readonly isParked: boolean;
  readonly nowMs: number;
}> = ({ found, instance, isParked, nowMs }) => (
  <section>
    <h2>Sample</h2>
    <ul>
      {found.sample.slice(0, MAX_JOBS).map(({ queue, id, name, finishedAtMs }) => (
        <li>
          {isParked ? plainName(id) : <a href={jobPath(instance, queue, id)}>{plainName(id)}</a>}{' '}
          {plainName(name)} <span class="muted">{isParked ? 'parked' : 'finished'}</span>{' '}
          <Ago atMs={finishedAtMs} nowMs={nowMs} />
        </li>
      ))}
    </ul>
  </section>
);
