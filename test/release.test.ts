import { expect, it } from 'vitest';
import { packagePath } from '../server/process/package-path.js';

/** What a release is asked about; a good one. */
const GOOD = {
  version: '1.2.0',
  agentVersion: '1.2.0',
  lockedVersions: ['1.2.0', '1.2.0'],
  imageTag: '1.2.0',
  changelog:
    '# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-01-31\n\n- More.\n\n## [1.1.0] - 2026-01-01\n',
  tags: ['v1.1.0'],
  changedFiles: [],
};

it('a release is refused for versions that differ, a changelog that is not ready and what is not committed', async () => {
  const { problemsOf } = await import(packagePath('.ci/release.mjs'));
  const problems = (change: object): readonly string[] => problemsOf({ ...GOOD, ...change });
  expect(problems({})).toEqual([]);
  expect(problems({ agentVersion: '1.1.0' })).toEqual(['agent/package.json says 1.1.0, package.json 1.2.0']);
  expect(problems({ lockedVersions: ['1.2.0', '1.1.0'] })[0]).toMatch(/package-lock\.json says 1\.1\.0/);
  expect(problems({ imageTag: undefined })[0]).toMatch(/kustomization\.yaml/);
  expect(problems({ tags: ['v1.2.0'] })[0]).toMatch(/v1\.2\.0 is released/);
  expect(problems({ changelog: '# Changelog\n' })[0]).toMatch(/no part \[1\.2\.0\]/);
  expect(problems({ changelog: '## [1.2.0] - 2026-01-31\n## [1.1.0]' })[0]).toMatch(/says nothing/);
  expect(problems({ changelog: '## [1.2.0]\n- More.' })[0]).toMatch(/no date/);
  const unreleased = GOOD.changelog.replace('[Unreleased]', '[Unreleased]\n- Not yet.');
  expect(problems({ changelog: unreleased })[0]).toMatch(/under \[Unreleased\]/);
  expect(problems({ changedFiles: ['README.md'] })).toEqual(['not committed: README.md']);
});
