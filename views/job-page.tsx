import type { FC } from 'hono/jsx';
import { formatBytes, formatCount, formatDuration } from '../server/model/format.js';
import type { JobDetail } from '../server/model/job-view.js';
import { whyReadOnly } from '../server/model/queue-kind.js';
import { includesRole, type Role } from '../server/model/role.js';
import type { QueueState } from '../server/model/snapshot.js';
import { type Chrome, Layout } from './layout.js';
import { actionPath, replayFormPath } from './links.js';
import { type Fact, Facts } from './state.js';
import { moment, UNKNOWN } from './words.js';

export interface JobPageProps {
  readonly job: JobDetail;
  readonly queue: QueueState;
  readonly instance: string;
  readonly role: Role;
  /** Which role it takes to see what it carries. */
  readonly jobDataRole: Role;
  readonly nowMs: number;
}

/** One job with what it carries. Payloads are somebody else's text: htmx leaves them alone. */
export const JobView: FC<JobPageProps & { readonly chrome: Chrome }> = ({ chrome, ...props }) => {
  const { job, role, jobDataRole, nowMs } = props;
  const showsData = includesRole(role, jobDataRole);
  return (
    <Layout chrome={chrome}>
      <section class="panel" aria-labelledby="job-title">
        <h1 id="job-title" class="queue-title">
          {job.name} <span class="muted">{job.id}</span>
        </h1>
        <p class="queue-verdict">{job.state}</p>
        <Facts facts={factsOf(job, nowMs)} />
        {includesRole(role, 'operator') ? <Actions {...props} showsData={showsData} /> : null}
      </section>
      {job.isTruncated && showsData ? <p class="muted">Large fields and long logs are cut here.</p> : null}
      {showsData ? (
        <Payloads {...job} />
      ) : (
        <section class="panel">
          <h2>Data, options, logs and errors are hidden</h2>
          <p>They may hold what is private. Seeing them takes the role {jobDataRole}.</p>
        </section>
      )}
    </Layout>
  );
};

function factsOf(job: JobDetail, nowMs: number): readonly Fact[] {
  const at = (ms: number | null): string => (ms === null ? UNKNOWN : moment(ms, nowMs).text);
  return [
    { label: 'Added', value: at(job.timestampMs) },
    { label: 'Started', value: at(job.processedAtMs) },
    { label: 'Finished', value: at(job.finishedAtMs) },
    { label: 'Attempts', value: formatCount(job.attemptsMade) },
    { label: 'Priority', value: job.priority === 0 ? UNKNOWN : formatCount(job.priority) },
    { label: 'Delay', value: job.delayMs === 0 ? UNKNOWN : formatDuration(job.delayMs / 1000) },
    { label: 'Memory', value: job.memoryBytes === null ? UNKNOWN : formatBytes(job.memoryBytes) },
    { label: 'Worker', value: job.processedBy ?? UNKNOWN },
    { label: 'Parent', value: job.parentKey ?? UNKNOWN },
  ];
}

const Actions: FC<JobPageProps & { readonly showsData: boolean }> = ({ job, queue, instance, showsData }) => {
  const link = (action: string): string =>
    actionPath({ action, instance, queues: [queue.id], jobId: job.id });
  const ended = job.state === 'failed' || job.state === 'completed' ? job.state : null;
  const actions = [
    ...(ended === null ? [] : [{ label: 'Retry', href: link('job.retry') }]),
    ...(job.state === 'delayed' ? [{ label: 'Promote', href: link('job.promote') }] : []),
    ...(job.state === 'active' ? [] : [{ label: 'Remove', href: link('job.remove') }]),
  ];
  // Said at the head of its queue's page.
  if (actions.length === 0 || whyReadOnly(queue) !== null) return null;
  const error = showsData && job.failedReason !== null ? { errorText: job.failedReason } : {};
  return (
    <p class="action-row">
      {actions.map(({ label, href }) => (
        <a class="button" href={href} data-drawer="">
          {label}
        </a>
      ))}
      {ended === null ? null : (
        <a
          class="button"
          href={replayFormPath({ instance, queue: queue.id, from: ended, jobType: job.name, ...error })}
        >
          Replay all like it…
        </a>
      )}
    </p>
  );
};

const MAX_TRACES = 3;

const Payloads: FC<JobDetail> = (job) => {
  const traces = job.stackTrace.slice(-MAX_TRACES);
  const logs =
    job.logs.length < job.logsTotal
      ? `Logs, the last ${job.logs.length} of ${formatCount(job.logsTotal)}`
      : 'Logs';
  return (
    <>
      {job.failedReason === null ? null : <Payload title="Failed reason" text={job.failedReason} />}
      {traces.map((text, i) => (
        <Payload title={traces.length > 1 ? `Stack trace ${i + 1}` : 'Stack trace'} text={text} />
      ))}
      <Payload title="Data" text={indented(job.data)} />
      <Payload title="Options" text={indented(job.opts)} />
      {job.returnValue === null ? null : <Payload title="Return value" text={indented(job.returnValue)} />}
      {job.progress === null ? null : <Payload title="Progress" text={indented(job.progress)} />}
      {job.logs.length === 0 ? null : <Payload title={logs} text={job.logs.join('\n')} />}
    </>
  );
};

const Payload: FC<{ readonly title: string; readonly text: string }> = ({ title, text }) => (
  <section class="panel payload" hx-ignore="" aria-label={title}>
    <h2>{title}</h2>
    <pre tabindex={0}>{text}</pre>
  </section>
);

/** JSON with line breaks, or the text as it is where it is none. */
function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
