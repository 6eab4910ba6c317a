/** One thing on a page that changes by itself. A viewer is sent it again only when `message` has changed. */
export interface Part {
  readonly key: string;
  /** Ready for the wire. */
  readonly message: string;
}

/** HTML that replaces the element `id` by morphing, so that focus and what was typed stay. */
export function swapPart(id: string, html: string): Part {
  // Unnamed messages are swapped by the client, named ones are not.
  return {
    key: id,
    message: sseMessage(null, `<hx-partial hx-target="#${id}" hx-swap="outerMorph">${html}</hx-partial>`),
  };
}

/** Data for the page's own script. */
export function eventPart(key: string, event: string, data: unknown): Part {
  return { key, message: sseMessage(event, JSON.stringify(data)) };
}

/** A list whose rows change and move: each row by itself, then their order, so that the page can hold the order back. */
export function listParts(
  list: string,
  items: readonly { readonly id: string; readonly html: string }[],
): readonly Part[] {
  return [
    ...items.map(({ id, html }) => eventPart(`${list}/${id}`, 'item', { list, id, html })),
    eventPart(`${list}/`, 'order', { list, ids: items.map(({ id }) => id) }),
  ];
}

/** One message of an event stream; line breaks of any kind in the data can't end it early. */
export function sseMessage(event: string | null, data: string): string {
  const head = event === null ? '' : `event: ${event}\n`;
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `${head}${lines.join('')}\n`;
}

/** Components here hold no promises, so that a rendering is a string at once. */
export function html(element: { toString(): string | Promise<string> }): string {
  const text = element.toString();
  if (typeof text !== 'string') throw new Error('a live part must not wait for anything');
  return text;
}
