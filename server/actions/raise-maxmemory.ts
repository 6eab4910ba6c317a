import { z } from 'zod';
import type { ActionWarning } from '../model/action.js';
import { ActionError, type Undo } from '../model/action.js';
import { formatBytes } from '../model/format.js';
import { type MemoryLimits, readNodeMemory, setMaxmemory } from '../redis/relief.js';
import { type Action, type ActionContext, changed, warning } from './action.js';

/** The rest of the host's memory is for the system, output buffers, fragmentation and the copy of a fork. */
const HOST_SHARE = 0.9;
/** From here on a warning: a fork for a snapshot or a full resync may need as much again in the worst case. */
const CAREFUL_SHARE = 0.75;
const MEGABYTE = 1024 * 1024;

const schema = z.strictObject({
  maxBytes: z.int('must be a whole number of bytes').min(MEGABYTE, 'must be at least 1 MB (1048576)'),
});
type Args = z.infer<typeof schema>;

/** Raises maxmemory of all masters: the fastest way out of a full Redis where the host has room. */
export const raiseMaxmemory: Action<Args, readonly MemoryLimits[]> = {
  name: 'redis.raise-maxmemory',
  title: 'Raise maxmemory',
  about:
    'Sets Redis’ memory limit, in force at once and until Redis restarts. Bounded by the memory of its host.',
  scope: 'instance',
  role: 'admin',
  schema,
  unavailable({ snapshot }) {
    const capabilities = snapshot.capabilities;
    if (!capabilities || capabilities.canSetConfig) return null;
    const words = capabilities.refusals.canSetConfig ?? capabilities.refusals.canReadConfig ?? 'refused';
    return `Redis does not permit CONFIG SET here (${words}): raise the limit at the provider or in redis.conf; trimming events and cleaning finished jobs still work`;
  },
  read: (context) => Promise.all(context.link.actionMasters().map(readNodeMemory)),
  preview(nodes, args, context) {
    for (const node of nodes) checkBound(node, args.maxBytes);
    return {
      summary: `Redis may hold ${formatBytes(args.maxBytes)}${nodes.length > 1 ? ' on each of its masters' : ''}.`,
      fields: nodes.map((node) =>
        changed(labelOf(node, nodes), limitInWords(node.maxBytes), limitInWords(args.maxBytes)),
      ),
      effects: nodes.map((node) => roomAfter(node, args.maxBytes)),
      warnings: warningsOf(nodes, args.maxBytes, context),
      affected: { queues: context.snapshot.queues.length, workers: null, jobs: 0 },
      mechanism:
        'CONFIG SET maxmemory, which Redis accepts over the limit. Not written to redis.conf: a restart or a failover brings the configured value back.',
      isNoop: nodes.every((node) => node.maxBytes === args.maxBytes),
    };
  },
  async apply(context, args, nodes) {
    for (const node of nodes) checkBound(node, args.maxBytes);
    await setMaxmemory(context.link.actionMasters(), nodes, args.maxBytes);
    return { summary: `maxmemory is ${formatBytes(args.maxBytes)}.` };
  },
  async verify(context, args, before) {
    const after = await Promise.all(context.link.actionMasters().map(readNodeMemory));
    const ok = after.every((node) => node.maxBytes === args.maxBytes);
    return {
      ok,
      summary: ok ? 'Redis holds the new limit.' : 'Not every master holds the new limit.',
      fields: after.map((node, i) =>
        changed(labelOf(node, after), limitInWords(before[i]?.maxBytes ?? 0), limitInWords(node.maxBytes)),
      ),
      warnings: ['Put it into redis.conf too, or the next restart or failover brings the old limit back.'],
    };
  },
  undo: undoOf,
};

/** One number must fit all masters, and there is no action that takes a limit away. */
function undoOf(nodes: readonly MemoryLimits[]): Undo | null {
  const former = nodes[0]?.maxBytes ?? 0;
  const isSame = nodes.every((node) => node.maxBytes === former);
  return isSame && former >= MEGABYTE
    ? { action: 'redis.raise-maxmemory', args: { maxBytes: former } }
    : null;
}

function checkBound(node: MemoryLimits, maxBytes: number): void {
  // Lowering is there for undo. A limit below what is held would make Redis refuse writes, or evict jobs, at once.
  const isLower = node.maxBytes === 0 || maxBytes < node.maxBytes;
  if (isLower && maxBytes < node.usedBytes) {
    throw new ActionError(
      'invalid',
      `maxBytes: ${maxBytes} is less than the ${node.usedBytes} that Redis at ${node.address} holds, so it would be full at once; give more than that, or free memory first`,
    );
  }
  if (node.hostBytes === null || maxBytes <= node.hostBytes * HOST_SHARE) return;
  throw new ActionError(
    'invalid',
    `maxBytes: ${maxBytes} is more than ${Math.floor(node.hostBytes * HOST_SHARE)}, which is ${HOST_SHARE * 100}% of the ${formatBytes(node.hostBytes)} of the host of ${node.address}; give at most that`,
  );
}

function labelOf(node: MemoryLimits, nodes: readonly MemoryLimits[]): string {
  return nodes.length > 1 ? `maxmemory of ${node.address}` : 'maxmemory';
}

function limitInWords(bytes: number): string {
  return bytes === 0 ? 'none' : formatBytes(bytes);
}

function roomAfter(node: MemoryLimits, maxBytes: number): string {
  const room = maxBytes - node.usedBytes;
  return room > 0
    ? `Redis holds ${formatBytes(node.usedBytes)}, so ${formatBytes(room)} are free and writes are accepted at once.`
    : `Redis holds ${formatBytes(node.usedBytes)}, which is still over that limit: writes stay refused.`;
}

function warningsOf(
  nodes: readonly MemoryLimits[],
  maxBytes: number,
  context: Pick<ActionContext, 'snapshot'>,
): readonly ActionWarning[] {
  const warnings: ActionWarning[] = [];
  for (const node of nodes) {
    if (node.maxBytes > 0 && maxBytes < node.maxBytes) {
      warnings.push(warning(`This lowers the limit of ${node.address} from ${formatBytes(node.maxBytes)}.`));
    }
    if (node.hostBytes !== null && maxBytes > node.hostBytes * CAREFUL_SHARE) {
      warnings.push(
        warning(
          `More than ${CAREFUL_SHARE * 100}% of the host’s ${formatBytes(node.hostBytes)}: a snapshot or a resync of a replica may need the rest and more.`,
        ),
      );
    }
    if (node.hostBytes === null)
      warnings.push(
        warning('Redis does not say how much memory its host has: make sure that it has this much.'),
      );
  }
  const evicting = context.snapshot.nodes.find((node) => node.maxBytes === 0 && node.policy !== 'noeviction');
  if (evicting) {
    warnings.push(
      warning(
        `The policy is ${evicting.policy}: at the limit Redis does not refuse writes, it deletes keys, and with them jobs. Set noeviction first.`,
      ),
    );
  }
  if (context.snapshot.link.topology !== 'single') {
    warnings.push(warning('Only masters are changed: a replica that takes over brings its own limit.'));
  }
  return warnings;
}
