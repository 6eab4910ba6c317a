import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, type Flags, loadConfig } from '../../server/config/config.js';
import { maskedConfig } from '../../server/config/masked-config.js';
import { parseRedisUrl } from '../../server/config/redis-url.js';

function file(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'spillway-config-')), 'spillway.yaml');
  writeFileSync(path, text);
  return path;
}
function problems(flags: Flags, environment: Record<string, string> = {}): readonly string[] {
  try {
    loadConfig(flags, environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('where settings come from', () => {
  it('needs none: a Redis on this machine, seen by nobody else', () => {
    expect(loadConfig({}, {})).toMatchObject({
      host: '127.0.0.1',
      port: 3000,
      instances: [{ name: 'default', endpoint: { kind: 'single', url: 'redis://127.0.0.1:6379' } }],
    });
  });

  it('takes flags over environment over file', () => {
    const config = file('port: 1001\nlogLevel: warn\ndata: /from-file\n');
    const loaded = loadConfig({ config, port: '1003' }, { PORT: '1002', LOG_LEVEL: 'error' });
    expect(loaded).toMatchObject({ port: 1003, logLevel: 'error', dataDirectory: '/from-file' });
  });

  it('takes each option of a sign-in from file and environment, and shows no secret of it', () => {
    const config = file(
      'publicUrl: https://spillway.example.com\nhost: 0.0.0.0\nopenid: { issuer: https://login.example.com, clientId: spillway, roles: [{ group: ops, role: admin }] }',
    );
    const environment = {
      SPILLWAY_OPENID_CLIENT_SECRET: 'horse',
      SPILLWAY_OPENID_CHECK_MINUTES: '5',
      SPILLWAY_OPENID_ROLES: '[{ "group": "*", "role": "viewer" }]',
    };
    const loaded = loadConfig({ config }, environment);
    expect(loaded.openid).toMatchObject({
      ...{ issuer: 'https://login.example.com', clientSecret: 'horse', checkMinutes: 5 },
      ...{ scope: 'openid profile email', groupsClaim: 'groups', roles: [{ group: '*', role: 'viewer' }] },
    });
    expect(JSON.stringify(maskedConfig(loaded))).not.toContain('horse');
    const wrong = file('openid: { issuer: "http://login.example.com", roles: [], secret: horse }');
    const told = problems(
      { config: wrong },
      { SPILLWAY_OPENID_CLIENT_SECRET: 'horse', SPILLWAY_OPENID_ROLES: '[1]' },
    );
    expect(told).toEqual([
      'openid.issuer: http://login.example.com must be an https:// URL',
      'openid.clientId: is missing: must be the id that the provider gave this console',
      expect.stringMatching(/^SPILLWAY_OPENID_ROLES\.0: 1 /),
      'openid.secret: is not a setting; check the spelling',
    ]);
    expect(
      problems({
        config: file(
          'openid: { issuer: "https://a.example", clientId: a, roles: [{ group: a, role: king }] }',
        ),
      }),
    ).toEqual(['openid.roles.0.role: king must be one of viewer, operator, admin']);
    expect(
      problems(
        {},
        {
          SPILLWAY_OPENID_ISSUER: 'https://a.example',
          SPILLWAY_OPENID_CLIENT_ID: 'a',
          SPILLWAY_OPENID_ROLES: '[{"group":"*","role":"viewer"}]',
        },
      ),
    ).toEqual(['publicUrl: is missing: the provider leads back to it after a sign-in']);
  });

  it('believes no headers of a proxy that is not named, and no algorithm by which anybody could sign', () => {
    const roles = '[{ "group": "*", "role": "viewer" }]';
    expect(problems({}, { SPILLWAY_HEADER_AUTH_ROLES: roles })).toEqual([
      'trustedProxies: is missing: whom the proxy has signed in is believed from these alone',
    ]);
    const environment = {
      ...{ SPILLWAY_TRUSTED_PROXIES: '10.0.0.1', SPILLWAY_ASSERTION_AUTH_ROLES: roles },
      SPILLWAY_ASSERTION_AUTH_JWKS_URL: 'https://user:horse@team.example.com/certs',
      SPILLWAY_ASSERTION_AUTH_ISSUER: 'https://team.example.com',
      SPILLWAY_ASSERTION_AUTH_ALGORITHMS: '["HS256"]',
    };
    expect(problems({}, environment)).toEqual([
      'SPILLWAY_ASSERTION_AUTH_JWKS_URL: https://user:****@team.example.com/certs must be an https:// URL',
      'assertionAuth.audience: is missing: must be what its tokens have as aud',
      expect.stringMatching(/^SPILLWAY_ASSERTION_AUTH_ALGORITHMS\.0: HS256 must be one of RS256/),
    ]);
    const config = file(
      'host: 0.0.0.0\nheaderAuth: { userHeader: X-Pomerium-Claim-Email, roles: [{ group: ops, role: admin }] }',
    );
    expect(loadConfig({ config }, { SPILLWAY_TRUSTED_PROXIES: '10.0.0.1' }).headerAuth).toMatchObject({
      ...{ userHeader: 'X-Pomerium-Claim-Email', groupsHeader: 'X-Forwarded-Groups' },
    });
  });

  it('knows its path from where people reach it, and takes proxies from file and environment', () => {
    const config = file('publicUrl: https://app.example.com/ops/queues/\ntrustedProxies: [10.0.0.0/8]\n');
    expect(loadConfig({ config }, {})).toMatchObject({
      publicUrl: 'https://app.example.com/ops/queues',
      basePath: '/ops/queues',
      trustedProxies: ['10.0.0.0/8'],
    });
    const environment = {
      SPILLWAY_PUBLIC_URL: 'https://other.example.com/a/b',
      SPILLWAY_BASE_PATH: '/b',
      SPILLWAY_TRUSTED_PROXIES: '127.0.0.1, fd00::/8',
    };
    expect(loadConfig({ config }, environment)).toMatchObject({
      publicUrl: 'https://other.example.com/a/b',
      basePath: '/b',
      trustedProxies: ['127.0.0.1', 'fd00::/8'],
    });
    expect(loadConfig({}, { SPILLWAY_TRUSTED_PROXIES: '["::1"]' }).trustedProxies).toEqual(['::1']);
    expect(problems({ config }, { SPILLWAY_BASE_PATH: '/c', SPILLWAY_TRUSTED_PROXIES: 'traefik' })).toEqual([
      'publicUrl: https://app.example.com/ops/queues must end with the basePath, /c',
      'SPILLWAY_TRUSTED_PROXIES: traefik must be a network (10.0.0.0/8) or an address',
    ]);
    expect(problems({}, { SPILLWAY_PUBLIC_URL: 'ops.example.com' })).toEqual([
      'SPILLWAY_PUBLIC_URL: ops.example.com must be an http:// or https:// URL',
    ]);
  });

  it('says which instances of the file a URL from elsewhere leaves unwatched', () => {
    const config = file(`
instances:
  - { name: shop, url: "redis://h1:6379" }
  - { name: mail, url: "redis://h2:6379" }
`);
    const url = 'redis://:secret@h3:6379';
    const names = ['shop', 'mail'];
    expect(loadConfig({ config }, {}).unwatched).toBeNull();
    expect(loadConfig({ redis: url }, {}).unwatched).toBeNull();
    expect(loadConfig({ config, redis: url }, { REDIS_URL: url }).unwatched).toEqual({
      because: '--redis',
      names,
    });
    expect(loadConfig({ config }, { REDIS_URL: url }).unwatched).toEqual({ because: 'REDIS_URL', names });
  });

  it('watches several Redis of all kinds from one file', () => {
    const config = file(`
instances:
  - { name: a, url: "rediss://user:pw@h:6380/2", queues: [mail] }
  - { name: b, sentinel: { hosts: ["s1:26379", "s2"], master: main, password: pw } }
  - { name: c, cluster: { hosts: ["n1:7000", "[::1]:7001"], tls: true } }
`);
    expect(loadConfig({ config }, {}).instances.map((instance) => instance.endpoint)).toEqual([
      { kind: 'single', url: 'rediss://user:pw@h:6380/2' },
      {
        kind: 'sentinel',
        sentinels: [
          { host: 's1', port: 26379 },
          { host: 's2', port: 26379 },
        ],
        master: 'main',
        db: 0,
        tls: false,
        password: 'pw',
      },
      {
        kind: 'cluster',
        nodes: [
          { host: 'n1', port: 7000 },
          { host: '::1', port: 7001 },
        ],
        tls: true,
      },
    ]);
  });

  it('names the tenant in job data for all Redis, for one, or for none, and says so', () => {
    const config = file(`
tenantField: tenant
instances:
  - { name: a, url: "redis://a" }
  - { name: b, url: "redis://b", tenantField: customer.account.id }
  - { name: c, url: "redis://c", tenantField: null }
`);
    const loaded = loadConfig({ config }, {});
    expect(loaded.instances.map(({ tenantField }) => tenantField)).toEqual([
      'tenant',
      'customer.account.id',
      null,
    ]);
    expect(JSON.stringify(maskedConfig(loaded))).toContain('"tenantField":"customer.account.id"');
    expect(loadConfig({ config }, { REDIS_URL: 'redis://d' }).instances[0]?.tenantField).toBe('tenant');
    expect(loadConfig({}, {}).instances[0]?.tenantField).toBeNull();
  });

  it('hides fields of jobs of every Redis, from the file or as a list in the environment', () => {
    const config = file('redact: ["*.password", customer.email]\ninstances: [{ name: a, url: "redis://a" }]');
    const redacts = (environment: Record<string, string>) =>
      loadConfig({ config }, environment).instances[0]?.redact;
    expect(redacts({})).toEqual(['*.password', 'customer.email']);
    expect(redacts({ SPILLWAY_REDACT: 'card,*.pin' })).toEqual(['card', '*.pin']);
    expect(redacts({ SPILLWAY_REDACT: '["card"]', REDIS_URL: 'redis://d' })).toEqual(['card']);
    expect(problems({ config: file('redact: [a.b, a..b]') })).toEqual([
      expect.stringMatching(/^redact\.1: a\.\.b must be keys joined by dots, such as customer\.email/),
    ]);
    expect(() => loadConfig({}, { SPILLWAY_REDACT: '["a.**"]' })).toThrow(
      'SPILLWAY_REDACT: ["a.**"] must end with a key',
    );
  });

  it.each(['""', 'a..b', 'a.b.c.d.e', '" a"', '"a\\u0007"', 'x'.repeat(65), '7'])(
    'refuses %s as the place of the tenant, and says what would do',
    (text) => {
      const [problem] = problems({ config: file(`tenantField: ${text}\n`) });
      expect(problem).toMatch(/^tenantField: /);
      expect(problem).toMatch(text === '7' ? /string/ : /up to 4 keys joined by dots, such as customer.id/);
    },
  );

  it('prints itself without a password or a token', () => {
    const config = file(
      'instances: [{ name: a, url: "redis://u:hunter2@h" }, { name: b, cluster: { hosts: [h], password: hunter2 } }]',
    );
    const printed = JSON.stringify(
      maskedConfig(loadConfig({ config }, { SPILLWAY_TOKENS: `x:admin:${'a'.repeat(64)}` })),
    );
    expect(printed).not.toContain('hunter2');
    expect(printed).not.toContain('a'.repeat(20));
  });
});

describe('what is wrong is reported in one line for each field, with what would be right', () => {
  const cases: readonly [string, Flags, Record<string, string>, RegExp][] = [
    ['a port that is none', { port: 'http' }, {}, /^--port: http must be a port number/],
    ['a log level that is none', {}, { LOG_LEVEL: 'loud' }, /^LOG_LEVEL: loud must be one of debug/],
    ['a URL of another kind', { redis: 'http://h' }, {}, /^--redis: http:\/\/h must be one of redis:\/\//],
    [
      'a Sentinel without a master',
      {},
      { REDIS_URL: 'redis+sentinel://h:1' },
      /^REDIS_URL: .*name the master/,
    ],
    [
      'a wrong URL with a password',
      {},
      { REDIS_URL: 'redis://u:hunter2@h/x' },
      /^REDIS_URL: redis:\/\/u:\*\*\*\*@h\/x must end/,
    ],
    ['an open door', { host: '0.0.0.0' }, {}, /^host: 0\.0\.0\.0 can be reached by others, and no tokens/],
    [
      'a token entry without a hash',
      {},
      { SPILLWAY_TOKENS: 'me:admin' },
      /^SPILLWAY_TOKENS: entry 1, sha256/,
    ],
    [
      'a role that is none',
      {},
      { SPILLWAY_TOKENS: `me:king:${'0'.repeat(64)}` },
      /role: must be one of viewer, operator, admin/,
    ],
    ['a file that is not there', { config: '/nowhere.yaml' }, {}, /^config: \/nowhere\.yaml can't be read/],
  ];
  it.each(cases)('%s', (_what, flags, environment, says) => {
    const found = problems(flags, environment);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(says);
    expect(found.join()).not.toContain('hunter2');
  });

  it('reports all bad fields of a file at once', () => {
    const config = file(
      'prot: 1\nport: 70000\ninstances: [{ name: "a b", url: "redis://h" }, { name: c }]\nthresholds: { memoryWarnRatio: 2 }\n',
    );
    const text = problems({ config }).join('\n');
    for (const says of [
      /prot: is not a setting/,
      /port: 70000/,
      /instances\.0\.name: a b must be/,
      /instances\.1: .*exactly one of url/,
      /memoryWarnRatio: 2 must be at most 1/,
    ]) {
      expect(text).toMatch(says);
    }
  });

  it('never throws anything but words for any URL', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.string().map((rest) => `redis+sentinel://${rest}`),
          fc.string().map((rest) => `redis://u:p@${rest}`),
        ),
        (text) => {
          try {
            parseRedisUrl(text);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
          }
        },
      ),
    );
  });
});

describe('channels of alerts', () => {
  const hook = (more: string) =>
    `alerts:\n  channels:\n    - { name: hook, type: webhook, url: 'https://h.example/a-secret-path', ${more} }\n`;

  it('take secrets from the environment, and say which one is missing', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: of the config file, not of a template
    const config = file(hook("secret: '${HOOK_SECRET}'"));
    expect(problems({ config })).toEqual([
      'alerts.channels.0.secret: HOOK_SECRET is not set in the environment',
    ]);
    const loaded = loadConfig({ config }, { HOOK_SECRET: 'sixteen-characters-x' });
    expect(loaded.alerts.channels[0]).toMatchObject({
      secret: 'sixteen-characters-x',
      minSeverity: 'warning',
    });
  });

  it('are printed and complained about without any secret', () => {
    const config =
      file(`${hook('secret: sixteen-characters-x')}    - { name: pd, type: pagerduty, routingKey: routing-key-secret }
    - { name: am, type: alertmanager, url: 'http://user:am-password@am:9093' }
    - { name: mail, type: email, host: smtp, username: u, password: smtp-password, from: a@b, to: [c@d] }
  deadManSwitch: { url: 'https://hc.example/beat-secret' }
`);
    const printed = JSON.stringify(maskedConfig(loadConfig({ config }, {})));
    expect(printed).toContain('https://h.example');
    const wrong = [
      `alerts: { channels: [{ name: x, type: slack, url: 'ftp://h/slack-secret' }] }`,
      `alerts: { channels: [{ name: m, type: email, host: far.example, tls: none, username: u, password: smtp-password, from: a@b, to: [c@d] }] }`,
      `alerts: { channels: [{ name: p, type: pagerduty, routingKey: "routing-key-secret\\n" }] }`,
      `alerts: { deadManSwitch: { url: 'ftp://beat-secret' } }`,
      hook('secret: short-secret'),
    ].map((text) => problems({ config: file(text) }).join('\n'));
    for (const complaint of wrong) expect(complaint).toMatch(/^alerts\./);
    for (const text of [printed, ...wrong])
      expect(text).not.toMatch(
        /sixteen-characters|a-secret-path|routing-key-secret|am-password|smtp-password|beat-secret|slack-secret|short-secret/,
      );
  });
});
