import { parseArgs } from 'node:util';
import { hashToken, newToken } from './auth/wrong-tokens.js';
import { type Config, ConfigError, type Flags, loadConfig } from './config/config.js';
import { maskedConfig } from './config/masked-config.js';
import { askHealth } from './health.js';
import { ROLES } from './model/role.js';
import { packageVersion } from './process/package-path.js';

const HELP = `spillway: operator console for BullMQ back-pressure

  spillway [options]                     serve the console
  spillway token --name NAME --role ROLE make a token (role: ${ROLES.join(', ')})
  spillway backup --to DIRECTORY         copy what the console keeps (--data, --config), also while it runs
  spillway health                        ask the running console if it is ready: ends with 0 or 1

  --redis URL       redis://, rediss://, redis+sentinel://h1:26379,h2:26379/master, redis+cluster://h1:7000,h2:7001
                    (REDIS_URL; redis://127.0.0.1:6379)
  --port N          (PORT; 3000)
  --host ADDRESS    (HOST; 127.0.0.1) any other needs tokens
  --config FILE     YAML (SPILLWAY_CONFIG)
  --data DIRECTORY  where the audit is kept (SPILLWAY_DATA; .spillway)
  --log-level LEVEL debug, info, warn, error or silent (LOG_LEVEL; info)
  --check           check the configuration, print it without secrets, and end
  --version, --help
`;

const OPTIONS = {
  redis: { type: 'string' },
  port: { type: 'string' },
  host: { type: 'string' },
  config: { type: 'string' },
  data: { type: 'string' },
  'log-level': { type: 'string' },
  name: { type: 'string' },
  role: { type: 'string' },
  to: { type: 'string' },
  check: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

const COMMANDS: readonly (string | undefined)[] = [undefined, 'token', 'backup', 'health'];

/**
 * Runs the command line; returns the exit code once there is nothing more to do. 2: the call or configuration is wrong.
 * What only some commands need is loaded by them: `health` runs every few seconds beside a console.
 */
export async function runCli(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const parsed = parse(args);
  if (typeof parsed === 'string') return refuse([parsed]);
  const { values, command } = parsed;
  if (values.help) return say(HELP);
  if (values.version) return say(packageVersion());
  if (command === 'token') return makeToken(values.name, values.role);
  try {
    const config = loadConfig(flagsOf(values), environment);
    if (values.check) {
      const { unknownActions } = await import('./actions/index.js');
      const unknown = unknownActions(config.permits.off);
      if (unknown.length > 0) return refuse(unknown);
    }
    if (values.check) return say(JSON.stringify(maskedConfig(config), null, 2));
    if (command === 'backup') return await makeBackup(config, values.to);
    if (command === 'health') return await reportHealth(config);
    const { serveConsole } = await import('./serve.js');
    return await serveConsole(config, () => loadConfig(flagsOf(values), environment));
  } catch (error) {
    if (error instanceof ConfigError) return refuse(error.problems);
    throw error;
  }
}

function parse(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    const [command, ...more] = positionals;
    if (more.length > 0 || !COMMANDS.includes(command))
      return `${positionals.join(' ')}: is not a command; see --help`;
    return { values, command };
  } catch (error) {
    return `${error instanceof Error ? error.message.split('. ')[0] : 'bad arguments'}; see --help`;
  }
}

function flagsOf(values: Readonly<Record<string, string | boolean | undefined>>): Flags {
  const names = ['redis', 'port', 'host', 'config', 'data', 'log-level'] as const;
  return Object.fromEntries(
    names.flatMap((name) => (typeof values[name] === 'string' ? [[name, values[name]]] : [])),
  );
}

function makeToken(name: string | undefined, role: string | undefined): number {
  if (!name || !ROLES.some((known) => known === role))
    return refuse([`token: give --name and --role (${ROLES.join(', ')})`]);
  const token = newToken();
  return say(
    `Token (shown once):\n  ${token}\n\nIn the config file:\n  tokens:\n    - { name: ${JSON.stringify(name)}, role: ${role}, sha256: ${hashToken(token)} }\n\nor in the environment:\n  SPILLWAY_TOKENS="${name}:${role}:${hashToken(token)}"`,
  );
}

async function makeBackup(config: Config, to: string | undefined): Promise<number> {
  if (!to) return refuse(['backup: give --to, the directory that the copy is put into']);
  process.umask(0o077);
  try {
    const { backUp } = await import('./backup.js');
    const { directory, lines } = await backUp(config, to, Date.now());
    return say([directory, ...lines.map((line) => `  ${line}`)].join('\n'));
  } catch (error) {
    process.stderr.write(`spillway: backup: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

async function reportHealth(config: Config): Promise<number> {
  const { isReady, text } = await askHealth(config);
  if (isReady) return say(text);
  process.stderr.write(`spillway: health: ${text}\n`);
  return 1;
}

function say(text: string): number {
  process.stdout.write(`${text.trimEnd()}\n`);
  return 0;
}

function refuse(problems: readonly string[]): number {
  for (const problem of problems) process.stderr.write(`spillway: ${problem}\n`);
  return 2;
}
