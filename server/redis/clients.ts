/** What one CLIENT LIST says about BullMQ: connected workers by queue id, and output buffers of all clients. */
export interface ClientReading {
  readonly workersByQueue: ReadonlyMap<string, number>;
  /** Queue ids that connections are named after, workers' and event listeners'. */
  readonly queueIds: ReadonlySet<string>;
  readonly outputBytes: number;
  readonly clients: number;
}

/**
 * Reads CLIENT LIST. BullMQ names a worker's blocking connection `<prefix>:<base64 of queue>` or, when the worker has a
 * name, with `:w:<name>` behind; event listeners end in `:qe`. Names with spaces or non-ASCII letters are refused by
 * CLIENT SETNAME, so such workers are connected without a name and can't be counted.
 */
export function readClientList(text: string): ClientReading {
  const workersByQueue = new Map<string, number>();
  const queueIds = new Set<string>();
  let outputBytes = 0;
  let clients = 0;
  for (const line of text.split('\n')) {
    if (line.length === 0) continue;
    clients += 1;
    outputBytes += Number(/ omem=(\d+)/.exec(line)?.[1] ?? 0);
    const name = / name=(\S+)/.exec(line)?.[1];
    const owner = name ? parseBullmqClientName(name) : null;
    if (!owner) continue;
    queueIds.add(owner.queueId);
    if (owner.kind === 'worker')
      workersByQueue.set(owner.queueId, (workersByQueue.get(owner.queueId) ?? 0) + 1);
  }
  return { workersByQueue, queueIds, outputBytes, clients };
}

/** Queue id and kind that a connection name stands for; null for any other client. */
export function parseBullmqClientName(
  name: string,
): { readonly queueId: string; readonly kind: 'worker' | 'events' } | null {
  const match = /^(.+?):([A-Za-z0-9+/]+={0,2})(:w:.*|:qe)?$/.exec(name);
  const [, prefix, encoded, suffix] = match ?? [];
  if (!prefix || !encoded || encoded.length % 4 !== 0) return null;
  const queue = Buffer.from(encoded, 'base64').toString('utf8');
  // Not base64 of a name after all: another program's client name of a like shape.
  if (Buffer.from(queue, 'utf8').toString('base64') !== encoded || queue.includes(':')) return null;
  return { queueId: `${prefix}:${queue}`, kind: suffix === ':qe' ? 'events' : 'worker' };
}
