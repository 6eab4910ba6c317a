/** A worker as CLIENT LIST shows it. */
export interface WorkerConnection {
  readonly queueId: string;
  /** BullMQ's `name` option; null: none. */
  readonly name: string | null;
  readonly address: string;
  readonly idleSeconds: number;
  readonly ageSeconds: number;
  /** It waits for jobs in a blocking command. */
  readonly isWaiting: boolean;
}

/** Workers that are shown one by one. */
const MAX_WORKERS = 5_000;
/** A client may give itself a name of any length: BullMQ's are shorter. */
const MAX_NAME_CHARS = 2_000;
const MAX_WORKER_NAME_CHARS = 300;

/** What one CLIENT LIST says about BullMQ: connected workers by queue id, and output buffers of all clients. */
export interface ClientReading {
  readonly workersByQueue: ReadonlyMap<string, number>;
  /** Blocking connections of workers; bounded, as it is one by one that they are shown. */
  readonly workers: readonly WorkerConnection[];
  /** Agents that are connected, by the name of their connections. */
  readonly agentIds: ReadonlySet<string>;
  /** Queue ids that connections are named after, workers' and event listeners'. */
  readonly queueIds: ReadonlySet<string>;
  readonly outputBytes: number;
  readonly clients: number;
}

/**
 * Reads CLIENT LIST. BullMQ names a worker's blocking connection `<prefix>:<base64 of queue>` or, when the worker has a
 * name, with `:w:<name>` behind; event listeners end in `:qe`. Names with spaces or non-ASCII characters are refused by
 * CLIENT SETNAME, so such workers are connected without a name and can't be counted.
 */
export function readClientList(text: string): ClientReading {
  const workersByQueue = new Map<string, number>();
  const queueIds = new Set<string>();
  const workers: WorkerConnection[] = [];
  const agentIds = new Set<string>();
  let outputBytes = 0;
  let clients = 0;
  for (const line of text.split('\n')) {
    if (line.length === 0) continue;
    clients += 1;
    outputBytes += Number(/ omem=(\d+)/.exec(line)?.[1] ?? 0);
    const name = / name=(\S+)/.exec(line)?.[1];
    if (!name || name.length > MAX_NAME_CHARS) continue;
    if (name.startsWith(AGENT_PREFIX)) agentIds.add(name.slice(AGENT_PREFIX.length));
    const owner = parseBullmqClientName(name);
    if (!owner) continue;
    queueIds.add(owner.queueId);
    if (owner.kind !== 'worker') continue;
    workersByQueue.set(owner.queueId, (workersByQueue.get(owner.queueId) ?? 0) + 1);
    if (workers.length < MAX_WORKERS) workers.push(connectionOf(line, owner));
  }
  return { workersByQueue, workers, agentIds, queueIds, outputBytes, clients };
}

const AGENT_PREFIX = 'spillway:agent:';

function connectionOf(line: string, owner: { readonly queueId: string; readonly name: string | null }) {
  const field = (key: string): string => new RegExp(` ${key}=(\\S*)`).exec(line)?.[1] ?? '';
  return {
    queueId: owner.queueId,
    name: owner.name,
    address: field('addr'),
    idleSeconds: Number(field('idle')) || 0,
    ageSeconds: Number(field('age')) || 0,
    isWaiting: field('flags').includes('b'),
  };
}

/** Queue id and kind that a connection name stands for; null for any other client. */
function parseBullmqClientName(
  name: string,
): { readonly queueId: string; readonly kind: 'worker' | 'events'; readonly name: string | null } | null {
  const match = /^(.+?):([A-Za-z0-9+/]+={0,2})(:w:.*|:qe)?$/.exec(name);
  const [, prefix, encoded, suffix] = match ?? [];
  if (!prefix || !encoded || encoded.length % 4 !== 0) return null;
  const queue = Buffer.from(encoded, 'base64').toString('utf8');
  // Not base64 of a name after all: another program's client name of a like shape.
  if (Buffer.from(queue, 'utf8').toString('base64') !== encoded || queue.includes(':')) return null;
  return {
    queueId: `${prefix}:${queue}`,
    kind: suffix === ':qe' ? 'events' : 'worker',
    name: suffix?.startsWith(':w:') ? suffix.slice(3, 3 + MAX_WORKER_NAME_CHARS) : null,
  };
}

/** The clients of several masters as one. */
function mergeClientReadings(readings: readonly ClientReading[]): ClientReading {
  const workersByQueue = new Map<string, number>();
  for (const reading of readings)
    for (const [queueId, count] of reading.workersByQueue)
      workersByQueue.set(queueId, (workersByQueue.get(queueId) ?? 0) + count);
  return {
    workersByQueue,
    workers: readings.flatMap(({ workers }) => workers).slice(0, MAX_WORKERS),
    agentIds: new Set(readings.flatMap(({ agentIds }) => [...agentIds])),
    queueIds: new Set(readings.flatMap(({ queueIds }) => [...queueIds])),
    outputBytes: readings.reduce((sum, { outputBytes }) => sum + outputBytes, 0),
    clients: readings.reduce((sum, { clients }) => sum + clients, 0),
  };
}

/** CLIENT LIST costs about 2 µs a client: each tick up to this many clients, every fifth tick beyond. */
const MANY_CLIENTS = 500;

/** Where the list is too large to be taken, it is asked for again after so many ticks. */
const TOO_LARGE_TICKS = 60;

/** Who is connected to the masters of one Redis, by the last CLIENT LIST of each. */
export class SeenClients {
  readonly #ofMaster = new Map<string, ClientReading>();
  #merged: ClientReading | null = null;
  #dueTick = 0;
  #isLost = false;

  /** @param isUrgent somebody waits for it; not so where the last list was too large. */
  isDue(tick: number, isUrgent = false): boolean {
    return tick >= this.#dueTick || (isUrgent && !this.#isLost);
  }

  /** Takes the answer of one master. @returns what all of them hold together. */
  take(masterId: string, text: string, tick: number): ClientReading {
    this.#ofMaster.set(masterId, readClientList(text));
    const merged = mergeClientReadings([...this.#ofMaster.values()]);
    this.#merged = merged;
    this.#isLost = false;
    this.#dueTick = tick + (merged.clients > MANY_CLIENTS ? 5 : 1);
    return merged;
  }

  /** The list of one master is larger than may be: who is connected is not known from now on. */
  lose(masterId: string, tick: number): void {
    this.#ofMaster.delete(masterId);
    this.#merged = null;
    this.#isLost = true;
    this.#dueTick = tick + TOO_LARGE_TICKS;
  }

  /** Workers of a queue; null: not known. */
  workersOf(queueId: string): number | null {
    return this.#merged === null ? null : (this.#merged.workersByQueue.get(queueId) ?? 0);
  }

  /** Answers that wait to be sent to clients; null: not known. */
  outputBytesOf(masterId: string): number | null {
    return this.#ofMaster.get(masterId)?.outputBytes ?? null;
  }

  forgetAllBut(masterIds: ReadonlySet<string>): void {
    for (const id of this.#ofMaster.keys()) if (!masterIds.has(id)) this.#ofMaster.delete(id);
  }
}
