import type { QueueState, Snapshot } from '../../server/model/snapshot.js';
import { QueueRow, type QueueRowContext } from '../../views/queue-row.js';

/** A component as the page sends it. */
export function rendered(element: { toString(): string | Promise<string> }): string {
  return String(element.toString());
}

/** What a person reads of it. */
export function textIn(html: string): string {
  return html
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&#39;', "'")
    .replace(/\s+/g, ' ')
    .trim();
}

/** A queue's row: how it looks, and what stands in a cell. */
export function renderedRow(
  queue: QueueState,
  snapshot: Snapshot,
  over: Partial<Omit<QueueRowContext, 'snapshot'>> = {},
) {
  const context = { problem: null, canAct: true, hasManyInstances: false, parked: 0, ...over };
  const span = { fromMs: snapshot.atMs - 900_000, toMs: snapshot.atMs };
  const html = rendered(<QueueRow queue={queue} snapshot={snapshot} depths={[]} span={span} {...context} />);
  const inCell = (label: string): string =>
    new RegExp(`<td[^>]*data-label="${label}"[^>]*>(.*?)</td>`, 's').exec(html)?.[1] ?? '';
  return {
    html,
    state: /<tr[^>]* class="queue state-([a-z]+)"/.exec(html)?.[1],
    verdict: textIn(/<span class="state-word[^>]*>(.*?)<\/span>/s.exec(html)?.[1] ?? ''),
    problem: /<span class="state-word[^>]* title="([^"]*)"/.exec(html)?.[1] ?? '',
    cell: (label: string): string => textIn(inCell(label)),
    inCell,
  };
}
