import { EVERY_WORKER } from '../../../agent/protocol.js';
import type { InForceItem } from '../../../views/in-force.js';
import { actionPath } from '../../../views/links.js';
import { heldInWords, restorePath } from '../../../views/recovery-strip.js';
import { reasonInWords, replayState } from '../../../views/replay.js';
import { overrideInWords } from '../../../views/worker-words.js';
import type { AuditRecord } from '../../model/audit-record.js';
import { formatBytes, formatCount, formatJobs, formatRate, formatRateLimit } from '../../model/format.js';
import type { Parking } from '../../model/parking.js';
import type { ReplayView } from '../../model/replay.js';
import { hasEnded } from '../../model/replay.js';
import { includesRole, type Role } from '../../model/role.js';
import type { QueueState, Snapshot } from '../../model/snapshot.js';
import { plainName, plainSentence, queueName } from '../../model/words.js';
import type { Override } from '../../model/worker.js';

/** Actions whose effect holds until somebody takes it back, and which Redis does not say who has set. */
export const LASTING_ACTIONS = ['queue.concurrency', 'queue.rate-limit', 'redis.raise-maxmemory'] as const;

export interface InForceFacts {
  readonly snapshots: readonly Snapshot[];
  /** Of the lasting actions, as far back as is looked. */
  readonly records: readonly AuditRecord[];
  readonly parkings: readonly Parking[];
  readonly replays: readonly ReplayView[];
}

/** All that was set or set going from here and holds still: what stops jobs first, then settings, oldest first. Pure. */
export function inForceOf(facts: InForceFacts, role: Role): readonly InForceItem[] {
  const mayAct = includesRole(role, 'operator');
  const items = [
    ...facts.replays.filter(({ record }) => !hasEnded(record)).map(replayItem),
    ...facts.parkings.filter(({ remaining }) => remaining > 0).map(parkedItem),
    ...facts.snapshots.flatMap((snapshot) => snapshot.queues.flatMap((queue) => pauseItem(queue, snapshot))),
    ...facts.snapshots.flatMap(overrideItems),
    ...settingItems(facts.records, facts.snapshots),
  ];
  return items.map((item) => (mayAct || item.way?.isPage ? item : { ...item, way: null }));
}

function replayItem(view: ReplayView): InForceItem {
  const { record, account, movedPerSecond, paceReason } = view;
  const of =
    record.queues.length === 1 ? plainName(record.queues[0] ?? '') : `${record.queues.length} queues`;
  const pace = record.state === 'running' ? formatRate(movedPerSecond) : replayState(view).word;
  return {
    kind: 'replay',
    what: `Replay of ${of}: ${pace}, ${formatCount(account.remaining)} remaining`,
    who: plainName(record.actor),
    sinceMs: record.createdAtMs,
    untilMs: null,
    why: reasonInWords(record.state === 'running' ? paceReason : record.reason),
    way: { label: 'Open', href: '/replays', isPage: true },
  };
}

function parkedItem(parking: Parking): InForceItem {
  const { queue, actor, startedAtMs, state, because, paceReason } = parking;
  return {
    kind: 'parked',
    what: `${plainName(nameIn(queue))}: ${heldInWords([parking])}`,
    who: plainName(actor),
    sinceMs: startedAtMs,
    untilMs: null,
    why: plainSentence(paceReason ?? because ?? parking.reason),
    way:
      state === 'running'
        ? { label: 'Open', href: '/replays#parked', isPage: true }
        : { label: 'Restore', href: restorePath(parking) },
  };
}

function pauseItem(queue: QueueState, { instance }: Snapshot): readonly InForceItem[] {
  if (queue.flow === 'running') return [];
  const isOurs = queue.flow === 'paused-by-spillway';
  const waits = queue.backlog > 0 ? `, ${formatJobs(queue.backlog)} waiting` : '';
  return [
    {
      kind: 'paused',
      what: `${queueName(queue)} paused${isOurs ? '' : ' by its application'}${waits}`,
      who: isOurs && queue.pause ? plainName(queue.pause.actor) : null,
      sinceMs: isOurs ? (queue.pause?.atMs ?? null) : null,
      untilMs: null,
      why: '',
      way: { label: 'Resume', href: actionPath({ action: 'queue.resume', instance, queues: [queue.id] }) },
    },
  ];
}

/** Orders to workers: those of a queue from Redis, those of one worker from what its agent says. Each once. */
function overrideItems(snapshot: Snapshot): readonly InForceItem[] {
  const { instance, queues, workers } = snapshot;
  const known = new Map<string, InForceItem>();
  const add = (order: Override, what: string, way: InForceItem['way']): void => {
    known.set(order.orderId, {
      kind: order.setting === 'paused' && order.value === true ? 'paused' : 'setting',
      what: `${what}: ${overrideInWords(order)}`,
      who: plainName(order.by),
      sinceMs: order.atMs,
      untilMs: order.untilMs,
      why: plainSentence(order.reason),
      way,
    });
  };
  for (const queue of queues)
    for (const order of queue.overrides)
      add(
        order,
        order.scope === EVERY_WORKER
          ? `${queueName(queue)}, every worker`
          : `${queueName(queue)}, ${plainName(order.scope)}`,
        {
          label: 'Reset',
          href: actionPath({ action: 'workers.revert', instance, queues: [queue.id] }),
        },
      );
  for (const worker of workers)
    for (const order of worker.agent?.overrides ?? [])
      if (order.scope !== EVERY_WORKER && order.isFollowed)
        add(order, `${plainName(nameIn(worker.queueId))}, ${plainName(worker.label)}`, {
          label: 'Reset',
          href: actionPath({ action: 'worker.revert', instance, workers: [worker.id] }),
        });
  return [...known.values()];
}

/** Limits of queues and of Redis: what was first set aside comes back; what has been taken back since is none. */
function settingItems(
  records: readonly AuditRecord[],
  snapshots: readonly Snapshot[],
): readonly InForceItem[] {
  const byTarget = new Map<string, AuditRecord[]>();
  const done = records.filter(({ status }) => status === 'applied' || status === 'unverified');
  for (const record of [...done].sort((a, b) => a.atMs - b.atMs)) {
    const target = JSON.stringify([record.action, record.instance, record.queue]);
    byTarget.set(target, [...(byTarget.get(target) ?? []), record]);
  }
  return [...byTarget.values()].flatMap((changes) => {
    const [first, last] = [changes[0], changes.at(-1)];
    if (!first || !last || JSON.stringify(first.before) === JSON.stringify(last.after)) return [];
    const snapshot = snapshots.find(({ instance }) => instance === last.instance);
    const what = snapshot && settingInWords(last, snapshot);
    if (!snapshot || !what) return [];
    return [
      {
        kind: 'setting' as const,
        what,
        who: plainName(last.actor),
        sinceMs: last.atMs,
        untilMs: null,
        why: plainSentence(last.reason),
        way: first.undo && { label: 'Reset', href: actionPath(first.undo) },
      },
    ];
  });
}

/** null: it does not hold any more, as somebody else has set another since. */
function settingInWords({ action, queue: id, args }: AuditRecord, snapshot: Snapshot): string | null {
  if (action === 'redis.raise-maxmemory') {
    const bytes = Number(args.maxBytes);
    const holds = snapshot.nodes.some(({ maxBytes }) => maxBytes === bytes);
    return holds ? `Redis ${plainName(snapshot.instance)}: limit ${formatBytes(bytes)}` : null;
  }
  const queue = snapshot.queues.find((one) => one.id === id);
  if (!queue) return null;
  if (action === 'queue.rate-limit') {
    const limit = queue.rateLimit;
    const holds = limit !== null && limit.max === args.max;
    return holds ? `${queueName(queue)}: rate limit ${formatRateLimit(limit.max, limit.durationMs)}` : null;
  }
  const now = queue.flow === 'paused-by-spillway' ? queue.pause?.formerConcurrency : queue.concurrency;
  return typeof now === 'number' && now === args.value
    ? `${queueName(queue)}: global concurrency ${formatCount(now)}`
    : null;
}

/** A queue's id as people call it. */
function nameIn(queueId: string): string {
  return queueId.startsWith('bull:') ? queueId.slice('bull:'.length) : queueId;
}
