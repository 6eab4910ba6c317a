// Makes what a release is published from, or says why it can't be one: `npm run release`. Publishes nothing.
//
// dist/release gets both packages, their SBOMs (CycloneDX), SHA256SUMS and the notes: the version's part of CHANGELOG.md.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What stands below `## [title]` in a changelog; null where it has no such part. */
function partOf(changelog, title) {
  const from = changelog.split('\n').findIndex((line) => line.startsWith(`## [${title}]`));
  if (from < 0) return null;
  const lines = changelog.split('\n').slice(from + 1);
  const end = lines.findIndex((line) => line.startsWith('## ['));
  return lines
    .slice(0, end < 0 ? lines.length : end)
    .join('\n')
    .trim();
}

/** Why this is no release, one line each. */
export function problemsOf({
  version,
  agentVersion,
  lockedVersions,
  imageTag,
  changelog,
  tags,
  changedFiles,
}) {
  const problems = [];
  const say = (isWrong, text) => isWrong && problems.push(text);
  say(agentVersion !== version, `agent/package.json says ${agentVersion}, package.json ${version}`);
  for (const locked of lockedVersions)
    say(locked !== version, `package-lock.json says ${locked}: run npm install --package-lock-only`);
  say(imageTag !== version, `deploy/kubernetes/kustomization.yaml names the image ${imageTag}`);
  say(tags.includes(`v${version}`), `v${version} is released: give the next version to both packages`);
  const notes = partOf(changelog, version);
  say(notes === null, `CHANGELOG.md has no part [${version}]`);
  say(notes === '', `CHANGELOG.md says nothing of ${version}`);
  const isDated = new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\] - \\d{4}-\\d{2}-\\d{2}$`, 'm');
  say(notes !== null && !isDated.test(changelog), `CHANGELOG.md has no date at [${version}]`);
  say(
    Boolean(partOf(changelog, 'Unreleased')),
    `CHANGELOG.md has changes under [Unreleased]: move them to ${version}`,
  );
  say(changedFiles.length > 0, `not committed: ${changedFiles.join(', ')}`);
  return problems;
}

const textOf = (file) => readFileSync(join(root, file), 'utf8');
const ask = (command, ...args) =>
  execFileSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
const linesOf = (text) => text.split('\n').filter((line) => line !== '');

/** What a package brings along, in the versions of the lock file. `npm sbom` leaves out what is for development too. */
function sbomOf({ devDependencies: _, workspaces: __, ...manifest }) {
  const above = mkdtempSync(join(tmpdir(), 'spillway-sbom-'));
  // The SBOM is named after the folder.
  const folder = join(above, manifest.name);
  mkdirSync(folder);
  try {
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    cpSync(join(root, 'package-lock.json'), join(folder, 'package-lock.json'));
    const npm = (...args) =>
      execFileSync('npm', [...args, '--package-lock-only'], { cwd: folder, encoding: 'utf8' });
    npm('install', '--ignore-scripts', '--no-audit', '--no-fund');
    return npm('sbom', '--sbom-format=cyclonedx');
  } finally {
    rmSync(above, { recursive: true, force: true });
  }
}

function release() {
  const { version } = JSON.parse(textOf('package.json'));
  const { packages } = JSON.parse(textOf('package-lock.json'));
  const changelog = textOf('CHANGELOG.md');
  const problems = problemsOf({
    version,
    agentVersion: JSON.parse(textOf('agent/package.json')).version,
    lockedVersions: [packages[''].version, packages.agent.version],
    imageTag: /newTag: (\S+)/.exec(textOf('deploy/kubernetes/kustomization.yaml'))?.[1],
    changelog,
    tags: linesOf(ask('git', 'tag', '--list')),
    changedFiles: linesOf(ask('git', 'status', '--porcelain')).map((line) => line.slice(3)),
  });
  for (const problem of problems) console.error(`release: ${problem}`);
  if (problems.length > 0) return 1;

  const to = join(root, 'dist', 'release');
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  ask('npm', 'run', 'build');
  for (const workspace of [[], ['--workspace', 'agent']])
    ask('npm', 'pack', '--ignore-scripts', '--pack-destination', to, ...workspace);
  for (const folder of ['.', 'agent']) {
    const manifest = JSON.parse(textOf(join(folder, 'package.json')));
    writeFileSync(join(to, `${manifest.name}-${version}.cdx.json`), sbomOf(manifest));
  }
  writeFileSync(join(to, 'NOTES.md'), `${partOf(changelog, version)}\n`);
  const sums = readdirSync(to).map((name) => {
    const sum = createHash('sha256')
      .update(readFileSync(join(to, name)))
      .digest('hex');
    return `${sum}  ${name}\n`;
  });
  writeFileSync(join(to, 'SHA256SUMS'), sums.join(''));
  console.log(`dist/release:\n${sums.join('')}
Next, after \`npm test\`:
  git tag v${version} && git push origin v${version}
  npm publish dist/release/spillway-agent-${version}.tgz --provenance
  npm publish dist/release/spillway-${version}.tgz --provenance`);
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = release();
