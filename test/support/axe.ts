import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { markRepeated, REPEATED, unmarkRepeated } from './repeated-looks.js';

const CONTRAST = 'color-contrast';

/**
 * What axe finds on a page that is shown in light colours, and then in the same page in dark ones, where only what is
 * about colours can differ. Empty: nothing. The page is left dark.
 */
export async function axeFinds(page: Page): Promise<readonly string[]> {
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await axeFindsAsItIs(page);
  await page.emulateMedia({ colorScheme: 'dark' });
  return [...light, ...(await contrastFinds(page))];
}

/**
 * What axe finds on a page as it is shown now; empty: nothing.
 * @param within a selector, where the rest of the page is not asked about.
 */
export async function axeFindsAsItIs(page: Page, within?: string): Promise<readonly string[]> {
  const rest = (await axeFor(page)).disableRules(CONTRAST);
  return [...(await run(rest, within)), ...(await contrastFinds(page, within))];
}

/** Contrast alone, which takes axe longer than all other rules: asked once of what looks the same. */
async function contrastFinds(page: Page, within?: string): Promise<readonly string[]> {
  await markRepeated(page);
  const finds = await run((await axeFor(page)).withRules(CONTRAST).exclude(`[${REPEATED}]`), within);
  await unmarkRepeated(page);
  return finds;
}

/** Half a megabyte of script: not read again by a page that has it. */
async function axeFor(page: Page): Promise<AxeBuilder> {
  const isThere = await page.evaluate<boolean>("typeof axe === 'object'");
  return new AxeBuilder({ page, ...(isThere ? { axeSource: '0' } : {}) });
}

async function run(axe: AxeBuilder, within?: string): Promise<readonly string[]> {
  if (within !== undefined) axe.include(within);
  // The other mode judges what it has found in a second, blank page, for frames of other origins: there are none here,
  // and a page takes longer than the judgement.
  const { violations } = await axe.setLegacyMode().analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
}
