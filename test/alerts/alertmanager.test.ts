import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertmanagerChannel } from '../../server/alerts/channels/alertmanager.js';
import type { SettingsOf } from '../../server/alerts/channels/settings.js';
import { type RunningAlertmanager, startAlertmanager } from '../support/alertmanager.js';
import { aNotice, aNotification } from '../support/notifications.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { until } from '../support/until.js';

let receiver: Receiver;
let alertmanager: RunningAlertmanager;

beforeAll(async () => {
  receiver = await startReceiver();
  alertmanager = await startAlertmanager(`${receiver.url}/hook`);
});
afterAll(async () => {
  await alertmanager?.stop();
  await receiver?.stop();
});

const settings = (over: Partial<SettingsOf<'alertmanager'>> = {}): SettingsOf<'alertmanager'> => ({
  type: 'alertmanager',
  name: 'am',
  url: alertmanager.url,
  minSeverity: 'info',
  ca: null,
  instances: ['*'],
  username: null,
  password: null,
  refreshSeconds: 60,
  ...over,
});
const channel = (over: Partial<SettingsOf<'alertmanager'>> = {}) =>
  alertmanagerChannel(settings(over), {
    now: Date.now,
    rules: { allow: [], deny: [] },
    publicUrl: 'https://spillway.example.com',
  });
const named = async (rule: string) =>
  (await alertmanager.active()).filter(({ labels }) => labels.alertname === rule);

describe('a real Alertmanager', () => {
  it('is notified of what is wrong, since when, the evidence, the first remedy and where to look', async () => {
    const startsAtMs = Date.now() - 60_000;
    const alerts = [
      aNotice({
        rule: 'Told',
        startsAtMs,
        subject: { instance: 'shop', node: null, queue: 'bull:größe "1"\n', type: 'send' },
      }),
    ];
    expect(await channel().send(aNotification({ alerts }))).toEqual({ ok: true });
    const [known] = await named('Told');
    expect(known).toMatchObject({
      labels: { severity: 'critical', instance: 'shop', queue: 'bull:größe "1"', job_type: 'send' },
      annotations: {
        summary: 'Redis is full in 3 min',
        cause: 'Pending track jobs of analytics take 470 MB, 92% of its memory.',
        action: 'Make room, drain faster, or add fewer jobs.',
        evidence: '92% of 512 MB',
        first_remedy: 'Trim events of analytics: frees about 80 MB',
      },
      generatorURL: 'https://spillway.example.com/#finding-redis.full',
      status: { state: 'active' },
    });
    expect(new Date(known?.startsAt ?? 0).getTime()).toBe(startsAtMs);
    // Four refreshes ahead, so that one that is lost ends nothing.
    expect(new Date(known?.endsAt ?? 0).getTime() - Date.now()).toBeGreaterThan(180_000);
  });

  it('knows it for the same alert when it is sent again, and ends it when it is over', async () => {
    const alert = aNotice({ rule: 'Again', startsAtMs: Date.now() - 5_000 });
    await channel().send(aNotification({ alerts: [alert] }));
    await channel().send(aNotification({ id: 'n-2', alerts: [{ ...alert, evidence: '95% of 512 MB' }] }));
    expect(await named('Again')).toHaveLength(1);
    const over = { ...alert, status: 'resolved' as const, endsAtMs: Date.now() };
    expect(await channel().send(aNotification({ status: 'resolved', alerts: [over] }))).toEqual({ ok: true });
    await until('it is over', async () => (await named('Again')).length === 0);
    await until('its own receivers hear of the end', () =>
      receiver.received.some(({ body }) => body.includes('"status":"resolved"') && body.includes('"Again"')),
    );
  });

  it('takes what is never sent again for over, which is why it is refreshed', async () => {
    const alerts = [aNotice({ rule: 'Forgotten', startsAtMs: Date.now() - 5_000 })];
    const impatient = channel({ refreshSeconds: 0.5 });
    await impatient.send(aNotification({ alerts }));
    expect(await named('Forgotten')).toHaveLength(1);
    await until('silence ends it', async () => (await named('Forgotten')).length === 0);
    await impatient.send(aNotification({ alerts }));
    expect(await named('Forgotten')).toHaveLength(1);
  });

  it('that is asked for at the wrong path is reported with its answer', async () => {
    const wrong = channel({ url: `${alertmanager.url}/nowhere` });
    expect(await wrong.send(aNotification())).toMatchObject({
      ok: false,
      kind: 'refused',
      problem: expect.stringMatching(/^answered 404/),
    });
  });
});
