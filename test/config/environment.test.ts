import { expect, it } from 'vitest';
import { loadConfig } from '../../server/config/config.js';
import { fileSchema } from '../../server/config/config-file.js';

/** A wrong value of each option, which is refused by name: so the variable is read. */
const OWN: Readonly<Record<string, string>> = { port: 'PORT', logLevel: 'LOG_LEVEL' };
/** Any text is right for these. */
const ANY_TEXT = ['host', 'data'];

it('sets every option of the file by a variable, and names the variable of a wrong one', () => {
  for (const key of Object.keys(fileSchema.shape).filter((one) => !ANY_TEXT.includes(one))) {
    const variable = OWN[key] ?? `SPILLWAY_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
    expect(
      () => loadConfig({}, { [variable]: key === 'redact' ? '[1]' : `{"wrong":${'x'.repeat(400)}` }),
      variable,
    ).toThrow(variable);
  }
});

it('takes lists and objects as JSON, in place of what the file says', () => {
  const config = loadConfig(
    {},
    {
      SPILLWAY_THRESHOLDS: '{"stuckSeconds":61}',
      SPILLWAY_GROUPS: '{"pay":["bull:pay-*"]}',
      SPILLWAY_JOB_DATA: 'admin',
    },
    { thresholds: { stuckSeconds: 5 } },
  );
  const token = {
    name: 'pay',
    role: 'operator',
    sha256: 'a'.repeat(64),
    grants: [{ role: 'viewer', queues: ['bull:pay-*'] }],
  };
  expect(loadConfig({}, { SPILLWAY_TOKENS: JSON.stringify([token]) }).tokens).toEqual([token]);
  expect(config).toMatchObject({
    thresholds: { stuckSeconds: 61 },
    groups: { pay: ['bull:pay-*'] },
    jobDataRole: 'admin',
  });
});
