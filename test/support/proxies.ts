import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { packagePath } from '../../server/process/package-path.js';
import { until } from './until.js';

/** The name that the blocks of docs/deploy.md have; the browser of tests knows it as this machine. */
export const PUBLIC_NAME = 'ops.example.com';

/** How a proxy is asked for the same in the three ways that people have it. */
export type Way = 'path kept' | 'path taken off' | 'own defaults';

interface ProxyKind {
  /** Its block as the document has it, made into a whole configuration. */
  readonly around: (block: string, directory: string) => string;
  readonly command: (config: string) => readonly [program: string, ...args: string[]];
  /** What of the block says where it listens, and the same for a port of this machine. */
  readonly listens: readonly [text: string, onPort: (port: number) => string];
  /** The document's other ways, as it says them. */
  readonly ways: Readonly<Record<Exclude<Way, 'path kept'>, (block: string) => string>>;
}

/** Each with what Debian's own configuration has around it, as far as that matters here. */
export const PROXIES: Readonly<Record<'nginx' | 'haproxy' | 'caddy', ProxyKind>> = {
  nginx: {
    around: (block, directory) => `daemon off; master_process off; pid ${directory}/pid;
      events {}
      http { gzip on; access_log off;
        ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${directory}/${of};`).join(' ')}
        ${block} }`,
    command: (config) => [process.env.NGINX_BIN ?? '/usr/sbin/nginx', '-e', 'stderr', '-c', config],
    listens: ['listen 443', (port) => `listen 127.0.0.1:${port}`],
    ways: {
      'path taken off': (block) => replaced(block, ['127.0.0.1:3000;', '127.0.0.1:3000/;']),
      'own defaults': (block) => block.replace(/^ *proxy_set_header .*\n/gm, ''),
    },
  },
  haproxy: {
    around: (block) => `defaults
  mode http
  timeout connect 5000
  timeout client 50000
  timeout server 50000
${block}`,
    command: (config) => [process.env.HAPROXY_BIN ?? '/usr/sbin/haproxy', '-db', '-f', config],
    listens: ['bind :443', (port) => `bind 127.0.0.1:${port}`],
    ways: {
      'path taken off': (block) => `${block}  http-request replace-path /queues/?(.*) /\\1\n`,
      'own defaults': (block) => block.replace(/^ *option .*\n/gm, ''),
    },
  },
  caddy: {
    around: (block, directory) => `{
  admin off
  default_bind 127.0.0.1
  auto_https disable_redirects
  storage file_system ${directory}
}
${block}`,
    command: (config) => [
      process.env.CADDY_BIN ?? 'caddy',
      ...['run', '--adapter', 'caddyfile', '--config', config],
    ],
    listens: [`${PUBLIC_NAME} {`, (port) => `https://${PUBLIC_NAME}:${port} {`],
    ways: {
      'path taken off': (block) => replaced(block, ['handle /queues/*', 'handle_path /queues/*']),
      // It says by itself whom it serves: there is nothing to leave out.
      'own defaults': (block) => block,
    },
  },
};

interface ProxySettings {
  readonly way: Way;
  readonly port: number;
  readonly consolePort: number;
  /** Has `ops.crt`, `ops.key` and `ops.pem` with both. */
  readonly directory: string;
}

/** Starts a real one with the block of docs/deploy.md and waits until the console answers through it. @returns its end. */
export async function startProxy(
  name: keyof typeof PROXIES,
  { way, port, consolePort, directory }: ProxySettings,
): Promise<() => Promise<void>> {
  const kind = PROXIES[name];
  const block = new RegExp(`^\`\`\`${name}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(
    readFileSync(packagePath('docs/deploy.md'), 'utf8'),
  )?.[1];
  if (block === undefined) throw new Error(`docs/deploy.md has no block for ${name}`);
  const inThisWay = way === 'path kept' ? block : kind.ways[way](block);
  const here = replaced(
    inThisWay.replaceAll('/etc/ssl/', `${directory}/`),
    [kind.listens[0], kind.listens[1](port)],
    ['127.0.0.1:3000', `127.0.0.1:${consolePort}`],
  );
  const config = join(directory, `${name}.conf`);
  await writeFile(config, kind.around(here, directory));
  const [program, ...args] = kind.command(config);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const note = (chunk: unknown): void => {
    output += String(chunk);
  };
  child.stdout.on('data', note);
  child.stderr.on('data', note);
  child.on('error', note);
  const stop = () => ended(child);
  try {
    await until(`${name} answers`, async () => {
      if (child.exitCode !== null) throw new Error(output);
      return (
        (await askTls(port, '/queues/healthz', { ca: readFileSync(join(directory, 'ca.crt')) })).status ===
        200
      );
    });
  } catch (error) {
    await stop();
    throw new Error(`${error instanceof Error ? error.message : ''}; it wrote: ${output.slice(-2_000)}`);
  }
  return stop;
}

interface TlsAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

export interface TlsRequest {
  readonly ca: Buffer;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Of this machine, to ask from. */
  readonly from?: string;
  /** Ends the connection as soon as what has come is enough: for what does not end by itself. */
  readonly isEnough?: (text: string) => boolean;
}

/** Asks for a path of https://ops.example.com, whose name leads to this machine. */
export function askTls(port: number, path: string, options: TlsRequest): Promise<TlsAnswer> {
  const { ca, method = 'GET', headers = {}, body, from = '127.0.0.1', isEnough } = options;
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...{ host: '127.0.0.1', port, path, method, ca, servername: PUBLIC_NAME, localAddress: from },
        ...{ agent: false, headers: { host: `${PUBLIC_NAME}:${port}`, ...headers } },
      },
      (answer) => {
        let text = '';
        const done = () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text });
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          text += chunk;
          if (!isEnough?.(text)) return;
          done();
          sent.destroy();
        });
        answer.on('end', done);
        answer.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** @throws Error where one of the texts is not there: the document has changed. */
function replaced(text: string, ...pairs: readonly (readonly [string, string])[]): string {
  return pairs.reduce((so, [from, to]) => {
    if (!so.includes(from)) throw new Error(`there is no ${from} in: ${so}`);
    return so.replace(from, () => to);
  }, text);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}
