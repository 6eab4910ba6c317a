import { describe, expect, it } from 'vitest';
import { createApp } from '../../server/app.js';
import { Accounts } from '../../server/auth/accounts.js';
import type { Config } from '../../server/config/config.js';
import type { AppDeps } from '../../server/routes/app-deps.js';

/** Stands for all that routes are given: only their paths and what stands before them are looked at here. */
const anything: unknown = new Proxy(() => undefined, { get: () => anything, apply: () => anything });
const own: Readonly<Record<string | symbol, unknown>> = {
  now: Date.now,
  isReadOnly: false,
  accounts: new Accounts({ tokens: [] }),
  sessions: { find: async () => null, end: async () => undefined },
  version: '1',
};
const deps = new Proxy(own, { get: (from, name) => (name in from ? from[name] : anything) });

const MISTAKE = new Error('a secret of the inside');

/** The app as it answers on this address: without tokens, on loopback everybody may call, and elsewhere nobody. */
const appAt = (host: string, over: Partial<AppDeps> = {}, publicUrl: string | null = null) =>
  createApp({
    config: {
      ...{ host, allowedHosts: [], trustedProxies: [], publicUrl, basePath: '' },
    } as unknown as Config,
    deps: { ...own, ...over, __proto__: deps } as unknown as AppDeps,
    noteFault: (message, error) => {
      if (error !== MISTAKE) throw new Error(message, { cause: error });
    },
  });
const routes = appAt('127.0.0.1').routes.filter(({ method, path }) => method !== 'ALL' && path !== '/*');

interface Operation {
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
  }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: BodySchema }>>;
  };
}

interface BodySchema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  /** One of these, by what they do. */
  readonly oneOf?: readonly BodySchema[];
}

/** They answer a question that is too long for an address, and change nothing. */
const QUESTIONS: readonly string[] = ['post /alert-rules/test'];

interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly securitySchemes: Readonly<Record<string, { readonly type: string }>> };
}

describe('the routes of the app', () => {
  it('are in the OpenAPI document where they are of the API, each with who may call it', async () => {
    const answer = await appAt('127.0.0.1').request('/api/v1/openapi.json', {
      headers: { host: 'localhost' },
    });
    expect(answer.status, await answer.clone().text()).toBe(200);
    const { paths, components } = (await answer.json()) as OpenApiDocument;
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} /api/v1${path}`),
    );
    const served = routes
      .filter(({ path }) => path.startsWith('/api/v1/') && path !== '/api/v1/openapi.json')
      .map(({ method, path }) => `${method} ${documentedPath(path)}`);
    expect([...new Set(served)].sort()).toEqual(documented.sort());
    expect(documented.length).toBeGreaterThan(70);

    expect(components.securitySchemes).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
      session: { type: 'apiKey', in: 'cookie', name: 'spillway_session' },
    });
    for (const [path, methods] of Object.entries(paths))
      for (const [method, { security }] of Object.entries(methods)) {
        const schemes = security?.flatMap((one) => Object.keys(one));
        expect(schemes, `${method} ${path}`).toEqual(['bearer', 'session']);
        if (method !== 'get') expect(security?.[0]?.bearer, path).not.toContain('viewer');
      }
  });

  it('take a reason, a dry run and an Idempotency-Key where they change something, and need none of them', async () => {
    const answer = await appAt('127.0.0.1').request('/api/v1/openapi.json', {
      headers: { host: 'localhost' },
    });
    const { paths } = (await answer.json()) as OpenApiDocument;
    const changes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .map(([method, operation]) => ({ route: `${method} ${path}`, operation }))
        .filter(({ route }) => !route.startsWith('get ') && !QUESTIONS.includes(route)),
    );
    expect(changes.length).toBeGreaterThan(25);
    for (const { route, operation } of changes) {
      const { parameters = [], requestBody } = operation;
      const given = parameters
        .filter(({ required }) => !required)
        .map(({ name, in: place }) => `${place} ${name}`);
      expect.soft(given, route).toEqual(expect.arrayContaining(['query dryRun', 'header Idempotency-Key']));
      const body = requestBody?.content['application/json']?.schema;
      // Where there is a body, it is there; otherwise in the address.
      if (!body) expect.soft(given, route).toContain('query reason');
      for (const shape of body ? (body.oneOf ?? [body]) : []) {
        expect.soft(Object.keys(shape.properties ?? {}), route).toContain('reason');
        expect.soft(shape.required ?? [], route).not.toContain('reason');
      }
    }
  });

  it('answer a browser by a page also where the console fails, or is called by another name', async () => {
    const failing = (error: Error) =>
      appAt('127.0.0.1', {
        audit: {
          query: () => Promise.reject(error),
        } as unknown as AppDeps['audit'],
        watch: {
          instanceSeries: () => {
            throw error;
          },
        } as unknown as AppDeps['watch'],
      });
    const ask = (app: ReturnType<typeof appAt>, host = 'localhost') =>
      app.request('/i/default/series.json', { headers: { host, accept: 'text/html' } });
    const mistake = await ask(failing(MISTAKE));
    const text = await mistake.text();
    expect([mistake.status, mistake.headers.get('content-type')]).toEqual([500, 'text/html; charset=UTF-8']);
    expect(text).toContain('<h1>The console made a mistake</h1>');
    expect(text).not.toContain(MISTAKE.message);
    const named = await ask(appAt('127.0.0.1', {}, 'https://ops.example.com/queues'), 'evil.example');
    expect(named.status).toBe(421);
    expect(await named.text()).toContain('<a href="https://ops.example.com/queues">');
    const style = await appAt('127.0.0.1').request('/static/tokens.css', {
      headers: { host: 'evil.example' },
    });
    expect(style.status).toBe(200);
  });

  it('read next to nothing of what a stranger sends, whatever the path', async () => {
    const app = appAt('0.0.0.0');
    const changes = routes.filter(({ method }) => method !== 'GET');
    expect(changes.length).toBeGreaterThan(50);
    for (const { method, path } of changes) {
      let pulledBytes = 0;
      const body = new ReadableStream({
        pull(controller) {
          pulledBytes += 1_000;
          if (pulledBytes > 1_000_000) controller.close();
          else controller.enqueue(new TextEncoder().encode('a&'.repeat(500)));
        },
      });
      const answer = await app.request(`http://localhost${path.replace(/[:{].*/, 'x')}`, {
        ...{ method, body, duplex: 'half' },
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'transfer-encoding': 'chunked',
        },
      });
      expect([401, 413, 303], `${method} ${path}: ${answer.status}`).toContain(answer.status);
      expect(pulledBytes, `${method} ${path}`).toBeLessThan(20_000);
    }
  });
});

/** `:id` as `{id}`; a parameter that ends in a kind of file is an id and that ending. */
function documentedPath(path: string): string {
  return path.replace(/:\w+\{[^}]*\\\.(\w+)\}/g, '{id}.$1').replace(/:(\w+)/g, '{$1}');
}
