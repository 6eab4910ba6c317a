import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashToken } from '../../server/auth/wrong-tokens.js';
import { type Scene, startScene, untilLive } from '../support/scene.js';
import { until } from '../support/until.js';

const SECRET_DATA = 'the-card-number-4111';
const TOKENS = { viewer: 'viewer-token-0001', operator: 'operator-token-0002' } as const;

describe('roles on the page', () => {
  let scene: Scene;

  beforeAll(async () => {
    const tokens = Object.entries(TOKENS).map(([role, token]) => `${role}:${role}:${hashToken(token)}`);
    scene = await startScene({
      redis: { maxmemoryBytes: 0 },
      env: { SPILLWAY_TOKENS: tokens.join(',') },
      fill: async ({ queue }) => {
        await queue('payments').add('charge', { card: SECRET_DATA }, { jobId: 'pay-1' });
        await queue('payments').pause();
      },
    });
    await until('the console sees payments', async () => {
      const answer = await scene.console.ask('GET', '/api/v1/instances/default/queues/payments', undefined, {
        authorization: `Bearer ${TOKENS.viewer}`,
      });
      return answer.status === 200;
    });
  });
  afterAll(() => scene.stop());

  it('a viewer sees no control and no job data', async () => {
    const page = await scene.open('/', { token: TOKENS.viewer });
    await untilLive(page);
    for (const path of [
      '/',
      '/i/default',
      '/i/default/q/bull%3Apayments',
      '/i/default/q/bull%3Apayments/jobs/pay-1',
      '/audit',
      '/replays',
    ]) {
      await page.goto(`${scene.console.url}${path}`);
      await page.waitForSelector('main');
      expect(await page.locator('[data-drawer], .bulk, input[type="checkbox"]').count(), path).toBe(0);
      expect(await page.content(), path).not.toContain(SECRET_DATA);
    }
    const refused = await page.goto(
      `${scene.console.url}/action?action=queue.pause&instance=default&queues=bull%3Apayments`,
    );
    expect(refused?.status()).toBe(403);
    await page.close();
  });

  it('an operator sees job data and actions, but not those of an admin', async () => {
    const page = await scene.open('/i/default/q/bull%3Apayments/jobs/pay-1', { token: TOKENS.operator });
    expect(await page.content()).toContain(SECRET_DATA);
    await page.goto(`${scene.console.url}/`);
    await untilLive(page);
    expect(await page.locator('[data-drawer]').count()).toBeGreaterThan(0);
    const refused = await page.goto(
      `${scene.console.url}/action?action=redis.raise-maxmemory&instance=default`,
    );
    expect(refused?.status()).toBe(403);
    await page.close();
  });

  it('who is not signed in is led to the door, and back to where they wanted to go', async () => {
    const page = await scene.open('/audit');
    expect(new URL(page.url()).pathname).toBe('/sign-in');
    await page.fill('#token', 'wrong-token');
    await page.click('button[type="submit"]');
    expect(await page.locator('[role="alert"]').innerText()).toContain('not one of this console');
    await page.fill('#token', TOKENS.viewer);
    await page.click('button[type="submit"]');
    await page.waitForURL(`${scene.console.url}/audit`);
    await page.close();
  });
});
