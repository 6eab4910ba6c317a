import { EventEmitter } from 'node:events';
import { within } from './contain.js';
import type { RedisShape } from './redis-shape.js';

/**
 * The clients that BullMQ 6 has adapters for, beside ioredis: the agent makes its connections of the worker's own kind, from
 * the client inside the adapter. [Looked at and run: BullMQ 6.7.0 with redis 5.12.1, @valkey/valkey-glide 2.5.2, bun 1.4.]
 */
type Kind = 'node-redis' | 'Valkey Glide' | 'Bun’s Redis client';

const KINDS: Readonly<Record<string, Kind>> = {
  NodeRedisAdapter: 'node-redis',
  ValkeyGlideAdapter: 'Valkey Glide',
  BunRedisAdapter: 'Bun’s Redis client',
};

const OPEN_WITHIN_MS = 2_000;
const COMMAND_WITHIN_MS = 1_500;
const ASK_AGAIN_MS = 1_000;

/** BullMQ's adapter, as far as the agent looks into it. */
interface Adapter {
  readonly raw: unknown;
  clientInfo(): Promise<string>;
}

/** What one connection of any of these clients is able to do. */
interface Line {
  /** Any command, with its answer as Redis gives it. */
  send(args: readonly string[]): Promise<unknown>;
  subscribe(channels: readonly string[]): Promise<unknown>;
  unsubscribe(channels: readonly string[]): Promise<unknown>;
  close(): void;
}

interface LineEvents {
  readonly onMessage: (channel: string, message: string) => void;
  readonly onClosed: () => void;
}

type Open = (name: string, events: LineEvents) => Promise<Line>;

/** Which client an adapter of BullMQ stands around; null: none that the agent knows. */
export function clientKindOf(client: unknown): Kind | null {
  const name = typeof client === 'object' && client !== null ? client.constructor?.name : undefined;
  return KINDS[name ?? ''] ?? null;
}

/**
 * A client like ioredis, from which the agent makes its connections; once it says which Redis it is connected to.
 * @param isGivenUp nobody waits for it any more. @throws Error then.
 */
export async function fromAdapter(
  client: unknown,
  kind: Kind,
  isGivenUp: () => boolean,
): Promise<OtherClient> {
  const adapter = client as Adapter;
  // None of the three says in one way which Redis it goes to; Redis says it of each connection.
  let info: string | null = null;
  while (info === null) {
    if (isGivenUp()) throw new Error('it is not waited for any more');
    info = await within(COMMAND_WITHIN_MS, adapter.clientInfo()).catch(() => null);
    if (info === null) await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS).unref());
  }
  const said = (field: string): string | undefined => new RegExp(`(?:^| )${field}=(\\S*)`).exec(info)?.[1];
  const options = {
    host: `${kind} ${said('laddr') ?? ''}`,
    db: Number(said('db') ?? 0),
    username: said('user') ?? null,
  };
  const open = { 'node-redis': nodeRedis, 'Valkey Glide': glide, 'Bun’s Redis client': bun }[kind](
    adapter.raw,
  );
  return new OtherClient(open, options);
}

/** In the shape of ioredis; it is closed for good once it is lost, as the agent makes a new one then. */
export class OtherClient implements RedisShape {
  readonly options: RedisShape['options'];
  readonly #events = new EventEmitter();
  readonly #open: Open;
  readonly #name: string;
  #line: Line | null = null;
  status: 'wait' | 'ready' | 'end' = 'wait';

  constructor(open: Open, options: RedisShape['options'], name = '') {
    this.#open = open;
    this.#name = name;
    this.options = options;
  }

  on(event: string, listener: (...args: never[]) => void): void {
    this.#events.on(event, listener as (...args: unknown[]) => void);
  }

  duplicate(options: unknown): OtherClient {
    const { connectionName } = options as { readonly connectionName: string };
    return new OtherClient(this.#open, this.options, connectionName);
  }

  async connect(): Promise<void> {
    const line = await within(
      OPEN_WITHIN_MS,
      this.#open(this.#name, {
        onMessage: (channel, message) => void this.#events.emit('message', channel, message),
        onClosed: () => this.disconnect(),
      }).then((opened) => {
        // Nobody waits for it any more.
        if (this.status === 'end') opened.close();
        return opened;
      }),
    );
    this.#line = line;
    if (this.status === 'end') throw new Error('it was closed');
    this.status = 'ready';
    this.#events.emit('ready');
  }

  disconnect(): void {
    if (this.status === 'end') return;
    this.status = 'end';
    this.#line?.close();
    this.#events.emit('end');
  }

  subscribe(...channels: readonly string[]): Promise<unknown> {
    return this.#within((line) => line.subscribe(channels));
  }

  unsubscribe(...channels: readonly string[]): Promise<unknown> {
    return this.#within((line) => line.unsubscribe(channels));
  }

  publish(channel: string, message: string): Promise<number> {
    return this.#number('PUBLISH', channel, message);
  }

  async hget(key: string, field: string): Promise<string | null> {
    return textOf(await this.#send('HGET', key, field));
  }

  hstrlen(key: string, field: string): Promise<number> {
    return this.#number('HSTRLEN', key, field);
  }

  async hmget(key: string, ...fields: readonly string[]): Promise<readonly (string | null)[]> {
    return ((await this.#send('HMGET', key, ...fields)) as readonly unknown[]).map(textOf);
  }

  llen(key: string): Promise<number> {
    return this.#number('LLEN', key);
  }

  zcard(key: string): Promise<number> {
    return this.#number('ZCARD', key);
  }

  pttl(key: string): Promise<number> {
    return this.#number('PTTL', key);
  }

  setrange(key: string, offset: number, value: string): Promise<number> {
    return this.#number('SETRANGE', key, String(offset), value);
  }

  async role(): Promise<readonly unknown[]> {
    return (await this.#send('ROLE')) as readonly unknown[];
  }

  #send(...args: readonly string[]): Promise<unknown> {
    return this.#within((line) => line.send(args));
  }

  async #number(...args: readonly string[]): Promise<number> {
    return Number(await this.#send(...args));
  }

  async #within<T>(body: (line: Line) => Promise<T>): Promise<T> {
    if (this.#line === null || this.status !== 'ready') throw new Error('it is not connected');
    return within(COMMAND_WITHIN_MS, body(this.#line));
  }
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

interface NodeRedis {
  readonly isOpen: boolean;
  readonly options?: { readonly socket?: object };
  duplicate(options: object): NodeRedis;
  connect(): Promise<unknown>;
  unref(): void;
  destroy(): void;
  on(event: string, listener: () => void): unknown;
  sendCommand(args: readonly string[]): Promise<unknown>;
  subscribe(
    channels: readonly string[],
    listener: (message: string, channel: string) => void,
  ): Promise<unknown>;
  unsubscribe(channels: readonly string[]): Promise<unknown>;
}

function nodeRedis(raw: unknown): Open {
  return async (name, { onMessage, onClosed }) => {
    const { options } = raw as NodeRedis;
    const client = (raw as NodeRedis).duplicate({
      name,
      disableOfflineQueue: true,
      // What the application set for its own connections must not shape this one.
      pingInterval: undefined,
      socket: {
        ...options?.socket,
        reconnectStrategy: false,
        connectTimeout: OPEN_WITHIN_MS,
        socketTimeout: undefined,
      },
    });
    let isClosed = false;
    const lost = (): void => {
      if (isClosed) return;
      isClosed = true;
      onClosed();
    };
    client.on('error', () => undefined);
    client.on('end', lost);
    // Before it connects: nothing of the agent keeps a process alive.
    client.unref();
    await client.connect();
    return {
      send: (args) => client.sendCommand(args),
      subscribe: (channels) =>
        client.subscribe([...channels], (message, channel) => onMessage(channel, message)),
      unsubscribe: (channels) => client.unsubscribe([...channels]),
      close: () => {
        if (isClosed) return;
        isClosed = true;
        // It throws where it was closed from the other end meanwhile.
        if (client.isOpen) client.destroy();
      },
    };
  };
}

interface Glide {
  readonly config?: object;
  readonly constructor: { createClient?(config: object): Promise<Glide> };
  subscribe?(channels: ReadonlySet<string>, timeoutMs: number): Promise<unknown>;
  unsubscribe?(channels: ReadonlySet<string>, timeoutMs: number): Promise<unknown>;
  customCommand(args: readonly string[]): Promise<unknown>;
  close(): void;
}

/** It connects again by itself, and does not say so: that nothing comes back any more is what the agent notices. */
function glide(raw: unknown): Open {
  return async (name, { onMessage }) => {
    const { config, constructor: made } = raw as Glide;
    const onPublished = ({
      channel,
      message,
    }: {
      readonly channel: unknown;
      readonly message: unknown;
    }): void => onMessage(String(channel), String(message));
    const client = await made.createClient?.({
      ...config,
      clientName: name,
      requestTimeout: COMMAND_WITHIN_MS,
      pubsubSubscriptions: { channelsAndPatterns: {}, callback: onPublished },
    });
    if (!client?.subscribe || !client.unsubscribe) {
      client?.close();
      throw new Error('this version of Valkey Glide can not subscribe while it is connected: 2.5 can');
    }
    return {
      send: (args) => client.customCommand(args),
      subscribe: (channels) => client.subscribe?.(new Set(channels), COMMAND_WITHIN_MS) ?? Promise.resolve(),
      unsubscribe: (channels) =>
        client.unsubscribe?.(new Set(channels), COMMAND_WITHIN_MS) ?? Promise.resolve(),
      close: () => client.close(),
    };
  };
}

interface Bun {
  duplicate(): Promise<Bun>;
  connect(): Promise<unknown>;
  onclose?: unknown;
  send(command: string, args: readonly string[]): Promise<unknown>;
  subscribe(
    channels: readonly string[],
    listener: (message: string, channel: string) => void,
  ): Promise<unknown>;
  unsubscribe(channels: readonly string[]): Promise<unknown>;
  close(): void;
}

function bun(raw: unknown): Open {
  return async (name, { onMessage, onClosed }) => {
    const client = await (raw as Bun).duplicate();
    let isClosed = false;
    const end = (): void => {
      if (isClosed) return;
      isClosed = true;
      client.close();
      onClosed();
    };
    client.onclose = end;
    try {
      await client.connect();
      await client.send('CLIENT', ['SETNAME', name]);
    } catch (error) {
      // Refused or lost: it would connect again by itself, and nobody would close it.
      isClosed = true;
      client.close();
      throw error;
    }
    return {
      send: ([command = '', ...args]) => client.send(command, args),
      subscribe: (channels) =>
        client.subscribe([...channels], (message, channel) => onMessage(channel, message)),
      unsubscribe: (channels) => client.unsubscribe([...channels]),
      close: end,
    };
  };
}
