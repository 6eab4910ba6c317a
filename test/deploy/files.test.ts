import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../server/config/config.js';
import { packagePath } from '../../server/process/package-path.js';

const textOf = (file: string): string => readFileSync(packagePath(file), 'utf8');
/** Parsed YAML of any shape: tests look into it by name. */
type Content = ReturnType<typeof JSON.parse>;
const contentOf = (file: string): Content => parse(textOf(file));

/** Environment variables that the console, or Node, reads. */
const READ = new Set([
  ...[...textOf('docs/deploy.md').matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, name]) => name),
  'NODE_ENV',
]);

describe('the Kubernetes manifests', () => {
  const folder = 'deploy/kubernetes';
  const files = readdirSync(packagePath(folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml') && !name.endsWith('kustomization.yaml'))
    .toSorted();
  const manifest = (name: string): Content => contentOf(join(folder, name));

  it.each(files)('%s is what the schema of its kind wants', async (name) => {
    const content = manifest(name);
    const packageName = content.apiVersion.startsWith('monitoring.coreos.com/')
      ? '@kubernetes-models/prometheus-operator'
      : 'kubernetes-models';
    const { [content.kind]: Model } = await import(`${packageName}/${content.apiVersion}/${content.kind}`);
    expect(() => new Model(content).validate()).not.toThrow();
    expect(content.metadata).toEqual({
      name: 'spillway',
      labels: { 'app.kubernetes.io/name': 'spillway' },
    });
  });

  it('are all applied', () => {
    const listed = ['.', 'monitoring'].flatMap((at) =>
      manifest(join(at, 'kustomization.yaml')).resources.map((name: string) => join(at, name)),
    );
    expect(listed.toSorted()).toEqual(files);
  });

  it('fit together: labels, ports, volume, probes, and settings that the console reads', () => {
    const { spec } = manifest('deployment.yaml');
    const { labels } = spec.template.metadata;
    for (const selector of [
      spec.selector.matchLabels,
      manifest('service.yaml').spec.selector,
      manifest('network-policy.yaml').spec.podSelector.matchLabels,
      manifest('monitoring/service-monitor.yaml').spec.selector.matchLabels,
    ])
      expect(selector).toEqual(labels);
    const [container] = spec.template.spec.containers;
    const [port] = container.ports;
    expect(textOf('Dockerfile')).toContain(`\nEXPOSE ${port.containerPort}\n`);
    for (const named of [
      ...['startupProbe', 'livenessProbe', 'readinessProbe'].map((probe) => container[probe].httpGet.port),
      manifest('service.yaml').spec.ports[0].targetPort,
      manifest('network-policy.yaml').spec.ingress[0].ports[0].port,
    ])
      expect(named).toBe(port.name);
    const [service] = manifest('service.yaml').spec.ports;
    expect(manifest('monitoring/service-monitor.yaml').spec.endpoints[0].port).toBe(service.name);
    const [volume] = spec.template.spec.volumes;
    expect(volume.persistentVolumeClaim.claimName).toBe(manifest('volume.yaml').metadata.name);
    const [mount] = container.volumeMounts;
    expect(mount.name).toBe(volume.name);
    for (const { name, value } of container.env) {
      expect(READ).toContain(name);
      if (name === 'SPILLWAY_DATA') expect(value.startsWith(`${mount.mountPath}/`)).toBe(true);
    }
    const [image] = manifest('kustomization.yaml').images;
    expect([container.image, JSON.parse(textOf('package.json')).version]).toEqual([image.name, image.newTag]);
  });

  it('have the same rules for Prometheus as the file for those without the operator', () => {
    const { groups } = manifest('monitoring/prometheus-rule.yaml').spec;
    expect(groups).toEqual(contentOf('static/prometheus-rules.yml').groups);
  });
});

describe('the image', () => {
  /** Instructions with their arguments, continued lines as one. */
  const instructions = textOf('Dockerfile')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, instruction = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
      return { instruction, rest };
    });
  const last = (wanted: string): string =>
    instructions.findLast(({ instruction }) => instruction === wanted)?.rest ?? '';
  const environment = Object.fromEntries(
    last('ENV')
      .split(' ')
      .map((pair) => pair.split('=') as [string, string]),
  );

  it('takes nothing from the build but what runs, is nobody in particular, and asks its own health', () => {
    const from = instructions.findLastIndex(({ instruction }) => instruction === 'FROM');
    expect(from).toBeGreaterThan(0);
    const copied = instructions
      .slice(from)
      .filter(({ instruction }) => instruction === 'COPY' || instruction === 'ADD');
    expect(copied.map(({ rest }) => rest)).toEqual(['--from=build /app /app']);
    expect(last('USER')).toBe('1000:1000');
    expect(last('HEALTHCHECK')).toMatch(/ CMD \["spillway", "health"\]$/);
    expect(JSON.parse(last('ENTRYPOINT'))).toEqual(['spillway']);
  });

  it('copies files that are there, and keeps its data on the volume', () => {
    for (const { instruction, rest } of instructions) {
      if (instruction !== 'COPY' || rest.startsWith('--from')) continue;
      for (const source of rest.split(' ').slice(0, -1))
        expect([source, existsSync(packagePath(source))]).toEqual([source, true]);
    }
    expect(last('VOLUME')).toBe(environment.SPILLWAY_DATA);
    for (const name of Object.keys(environment)) expect(READ).toContain(name);
    // Reached from everywhere, it starts with a token only.
    expect(() => loadConfig({}, environment)).toThrow(/no tokens are configured/);
    const tokens = { SPILLWAY_TOKENS: `you:admin:${'0'.repeat(64)}` };
    expect(loadConfig({}, { ...environment, ...tokens })).toMatchObject({ host: '0.0.0.0', port: 3000 });
  });

  it('is run by compose with a Redis that evicts nothing, its root read-only, for this machine alone', () => {
    const { services, volumes } = contentOf('compose.yaml');
    const { redis, spillway } = services;
    expect(redis.command.join(' ')).toContain('--maxmemory-policy noeviction');
    expect(spillway).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    expect(spillway.depends_on).toHaveProperty('redis');
    expect(spillway.environment.REDIS_URL).toContain('redis://redis:6379');
    for (const name of Object.keys(spillway.environment)) expect(READ).toContain(name);
    expect(spillway.ports).toEqual([`127.0.0.1:${environment.PORT}:${environment.PORT}`]);
    expect(spillway.volumes).toEqual([`spillway:${environment.SPILLWAY_DATA}`]);
    for (const { volumes: mounted } of [redis, spillway])
      expect(Object.keys(volumes)).toContain(mounted[0].split(':')[0]);
  });
});

describe('the systemd unit', () => {
  it('starts the command that the package installs, on the directory that it may write to', () => {
    const lines = textOf('deploy/spillway.service').split('\n');
    const setting = (name: string): string =>
      lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
    const [command] = Object.keys(JSON.parse(textOf('package.json')).bin);
    expect(setting('ExecStart')).toBe(`/opt/spillway/bin/${command}`);
    expect(setting('Environment')).toContain(`SPILLWAY_DATA=/var/lib/${setting('StateDirectory')}`);
    expect(lines).toContain('DynamicUser=yes');
  });
});

describe('the workflow of CI', () => {
  it('runs scripts that exist, on every Node that `npm run test:versions` knows', () => {
    const { jobs } = contentOf('.github/workflows/ci.yml');
    const { scripts } = JSON.parse(textOf('package.json'));
    const commands = Object.values<Content>(jobs).flatMap(({ steps }) =>
      steps.flatMap(({ run }: Content) => run ?? []),
    );
    for (const command of commands) {
      const [, script] = /^npm run (\S+)/.exec(command) ?? [];
      if (script !== undefined) expect(Object.keys(scripts)).toContain(script);
    }
    const [, versions = ''] = /VERSIONS = \[(.*?)\]/.exec(textOf('.ci/versions.mjs')) ?? [];
    expect(jobs.versions.strategy.matrix.node).toEqual(JSON.parse(`[${versions.replaceAll("'", '"')}]`));
    const { engines } = JSON.parse(textOf('package.json'));
    expect(`${engines.node}.0`).toBe(`>=${jobs.versions.strategy.matrix.node[0]}`);
  });
});
