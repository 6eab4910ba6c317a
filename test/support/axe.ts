import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';

/** Attribute of an element that looks, with all that is in it, as one before it does in the same surroundings. */
const REPEATED = 'data-repeated-look';

/**
 * Marks what repeats: the second row of a table whose cells have the colours, sizes and classes of the first. Only within
 * parents that show the same background, so that text on it has the same contrast. What holds no text is left alone.
 */
async function markRepeated(page: Page): Promise<void> {
  await page.evaluate(`(() => {
    const looks = new Map();
    const lookOf = (element) => {
      const style = getComputedStyle(element);
      const own = [
        element.tagName, element.getAttribute('class'), style.color, style.backgroundColor, style.backgroundImage,
        style.fontSize, style.fontWeight, style.opacity, style.display, style.visibility, style.position,
        element.disabled, element.getAttribute('aria-hidden'), element.getAttribute('aria-disabled'),
      ].join();
      const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
      const look = own + (hasText ? ' text' : '') + '[' + [...element.children].map(lookOf).join(';') + ']';
      looks.set(element, { own, look });
      return look;
    };
    const seen = new Set();
    const mark = (element, surroundings) => {
      const { own, look } = looks.get(element);
      const key = surroundings + '>' + look;
      if (seen.has(key)) return element.setAttribute('${REPEATED}', '');
      seen.add(key);
      for (const child of element.children) mark(child, surroundings + '>' + own);
    };
    lookOf(document.body);
    mark(document.body, '');
  })()`);
}

async function unmarkRepeated(page: Page): Promise<void> {
  await page.evaluate(
    `document.querySelectorAll('[${REPEATED}]').forEach((one) => one.removeAttribute('${REPEATED}'))`,
  );
}

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
