import type { Page } from 'playwright-core';

/** Attribute of an element that looks, with all that is in it, as one before it does in the same surroundings. */
export const REPEATED = 'data-repeated-look';

/**
 * Marks what repeats: the second row of a table whose cells have the colours, sizes and classes of the first. Only within
 * parents that show the same background, so that text on it has the same contrast. What holds no text is left alone.
 */
export async function markRepeated(page: Page): Promise<void> {
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

export async function unmarkRepeated(page: Page): Promise<void> {
  await page.evaluate(
    `document.querySelectorAll('[${REPEATED}]').forEach((one) => one.removeAttribute('${REPEATED}'))`,
  );
}
