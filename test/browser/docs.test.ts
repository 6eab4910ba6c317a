import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACTIONS } from '../../server/actions/index.js';
import { hashToken } from '../../server/auth/wrong-tokens.js';
import { FINDING_CODES } from '../../server/findings/index.js';
import { RUNBOOKS } from '../../server/findings/runbooks.js';
import { SIGNALS } from '../../server/signals/index.js';
import { axeFinds } from '../support/axe.js';
import { PHONE, type Scene, startScene, WIDE } from '../support/scene.js';

const TOKENS = { viewer: 'viewer-token-0001', operator: 'operator-token-0002' } as const;
const as = (role: keyof typeof TOKENS) => ({ authorization: `Bearer ${TOKENS[role]}` });
let scene: Scene;

beforeAll(async () => {
  const tokens = Object.entries(TOKENS).map(([role, token]) => `${role}:${role}:${hashToken(token)}`);
  scene = await startScene({ env: { SPILLWAY_TOKENS: tokens.join(',') } });
});
afterAll(() => scene.stop());

describe('documentation on the console', () => {
  it('has a page for each finding, action and signal, and nothing for what is not there', async () => {
    expect(Object.keys(RUNBOOKS).toSorted()).toEqual([...FINDING_CODES].toSorted());
    const known = new Set(ACTIONS.map(({ name }) => name));
    for (const { actions } of Object.values(RUNBOOKS))
      for (const name of actions) expect(known).toContain(name);
    const paths = [
      ...FINDING_CODES.map((code) => `/docs/findings/${code}`),
      ...ACTIONS.map(({ name }) => `/docs/actions/${name}`),
      ...SIGNALS.map(({ name }) => `/docs/signals/${name}`),
    ];
    for (const path of paths)
      expect((await scene.console.ask('GET', path, undefined, as('viewer'))).status).toBe(200);
    for (const kind of ['findings', 'actions', 'signals']) {
      const missing = await scene.console.ask('GET', `/docs/${kind}/toString`, undefined, as('viewer'));
      expect(missing.status).toBe(404);
    }
  });

  it('leads from page to page without a dead link', async () => {
    const seen = new Set<string>();
    const open = ['/docs'];
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const { status, text } = await scene.console.ask('GET', path, undefined, as('viewer'));
      expect([path, status]).toEqual([path, 200]);
      for (const [, href = ''] of text.matchAll(/href="(\/(?:docs|static)[^"#?]*)/g)) open.push(href);
    }
    expect(seen.size).toBeGreaterThan(130);
  });

  it.concurrent('draws the API under the policy of the page, and lets a viewer try what reads and nothing else', async () => {
    for (const [role, tries] of [
      ['viewer', 0],
      ['operator', 1],
    ] as const) {
      const page = await scene.open('/docs/api', { ...WIDE, token: TOKENS[role] });
      await page.waitForSelector('.opblock');
      await page.click('.opblock-post .opblock-summary-control >> nth=0');
      await page.waitForSelector('.opblock-post .opblock-body .opblock-section');
      expect(await page.locator('.opblock-post .try-out__btn').count()).toBe(tries);
      await page.click('[id$="get_overview"] .opblock-summary-control');
      await page.click('[id$="get_overview"] .try-out__btn');
      await page.click('[id$="get_overview"] .execute');
      await page.waitForSelector('.live-responses-table .response-col_status:has-text("200")');
      await page.close();
    }
  });

  it.concurrent.each([
    ['the index', '/docs'],
    ['a chapter', '/docs/alerts'],
    ['a finding', '/docs/findings/redis.filling'],
    ['an action', '/docs/actions/queue.rate-limit'],
  ])('%s is in order when wide, on a phone, and for axe', async (_, path) => {
    for (const look of [WIDE, PHONE]) {
      const page = await scene.open(path, { ...look, token: TOKENS.viewer });
      const width = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      expect(width).toBeLessThanOrEqual(0);
      expect(await axeFinds(page)).toEqual([]);
      await page.close();
    }
  });

  it('has no page that complains', () => {
    expect(scene.complaints()).toEqual([]);
  });
});
