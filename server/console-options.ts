import type { IncomingMessage, ServerResponse } from 'node:http';

/** Somebody who was let in by the application that the console is part of. */
export interface ConsoleUser {
  /** For the audit; 1 to 100 characters. */
  readonly name: string;
  readonly role: ConsoleRole;
  /** What the role is bound to; left out: it holds everywhere. What no grant matches is not seen. */
  readonly grants?: readonly ConsoleGrant[] | undefined;
}

type ConsoleRole = 'viewer' | 'operator' | 'admin';

/** A role on some queues (globs over ids such as `bull:pay-*`), or without `queues` on the whole of some instances. */
export interface ConsoleGrant {
  readonly role: ConsoleRole;
  /** Globs over names of instances; left out: all. */
  readonly instances?: readonly string[] | undefined;
  readonly queues?: readonly string[] | undefined;
}

export interface ConsoleOptions {
  /** Where it is mounted, such as `/ops/queues`. The host may take it off the address or leave it there. */
  readonly basePath?: string;
  /** Where people reach it, with its path, such as `https://app.example.com/ops/queues`: for links in messages. */
  readonly publicUrl?: string;
  /** Networks of the proxies before the application, such as `10.0.0.0/8`, whose `X-Forwarded-…` and `Forwarded` are believed. */
  readonly trustedProxies?: readonly string[];
  /** Who is asking, by the host's own sign-in; null: nobody who may. It is asked for every request, so it should be quick. */
  readonly authenticate?: (request: Request) => ConsoleUser | null | Promise<ConsoleUser | null>;
  /** URL of one Redis; several stand in `settings.instances`. */
  readonly redis?: string;
  /** Fields of jobs that nobody is shown, such as `['*.password', 'customer.email']` (docs/security.md). */
  readonly redact?: readonly string[];
  /** What the config file of the standalone console would hold (docs/start.md). */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface MountedConsole {
  /**
   * For Hono, Next and whatever else speaks Request and Response. Paths with and without `basePath` are the same.
   * @param env of Hono on Node (`c.env`), whose socket says who asks; without it no proxy is trusted.
   */
  fetch(request: Request, env?: object): Promise<Response>;
  /** For Node's own server, Express, Fastify and NestJS. Bodies must not have been read before. */
  listener(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Ends everything in order: streams, watching, sending, the store. */
  close(): Promise<void>;
}

/**
 * The console as a part of another application, below one of its paths and behind its sign-in.
 * @throws ConfigError with each bad setting; also where nobody would be asked who they are.
 */
export type CreateConsole = (options: ConsoleOptions) => Promise<MountedConsole>;
