// Rows that change and move. Their content changes at once; where they stand does not while somebody's hand or eye is
// on them: a row that jumps under the pointer gets the wrong queue paused. What one's own action brought, and what is
// new and critical, is never held back.
(() => {
  const SETTLE_MS = 5_000;
  const TOUCH_MS = 8_000;
  /** What an action brings is in the next ticks; so long after its outcome was shown nothing is held. */
  const ACTED_MS = 10_000;
  /** Per list: rows not yet in the page, the order that waits, and when rows last moved. */
  const lists = new Map();
  let touchedAtMs = 0;
  let actedAtMs = Number.NEGATIVE_INFINITY;

  const stateOf = (name) => {
    if (!lists.has(name)) lists.set(name, { stash: new Map(), order: null, movedAtMs: 0 });
    return lists.get(name);
  };
  const elementOf = (name) => document.querySelector(`[data-list="${name}"]`);

  document.addEventListener(
    'touchstart',
    () => {
      touchedAtMs = Date.now();
    },
    { passive: true },
  );

  /** Was something done from here just now? While its outcome covers the page, nobody can press what moves beneath. */
  function hasActed() {
    noteOutcome();
    return Date.now() - actedAtMs < ACTED_MS;
  }
  function noteOutcome() {
    if (document.querySelector('dialog[open] [data-outcome]')) actedAtMs = Date.now();
  }
  document.addEventListener('htmx:after:swap', noteOutcome);

  /** Lists share one page, so one that grows would push the other: a hand on any of them holds all. */
  function isHeld() {
    if (hasActed()) return false;
    if (Date.now() - touchedAtMs < TOUCH_MS) return true;
    if (document.querySelector('dialog[open]')) return true;
    if (document.querySelector('[data-list] input:checked')) return true;
    const areas = document.querySelectorAll('.findings-section, .queues');
    return [...areas].some((area) => area.matches(':hover') || area.contains(document.activeElement));
  }

  document.addEventListener('item', (event) => {
    const { list, id, html } = JSON.parse(event.detail.data);
    const row = document.getElementById(id);
    if (!row) {
      stateOf(list).stash.set(id, html);
      return;
    }
    const swap = () => htmx.swap({ sourceElement: row, target: row, swap: 'outerMorph', text: html });
    // A finding that says more pushes what is below it; rows of queues are all alike.
    if (list === 'findings') keepInPlace(swap);
    else swap();
  });

  document.addEventListener('order', (event) => {
    const { list, ids } = JSON.parse(event.detail.data);
    stateOf(list).order = ids;
    settle(list);
  });

  function make(html) {
    const template = document.createElement('template');
    template.innerHTML = html;
    return template.content.firstElementChild;
  }

  function settle(name, isForced = false) {
    const state = stateOf(name);
    const parent = elementOf(name);
    const { order, stash } = state;
    if (!parent || !order) return;
    const wanted = new Set(order);
    const rows = new Map([...parent.children].map((row) => [row.id, row]));
    for (const row of rows.values()) row.classList.toggle('is-gone', !wanted.has(row.id));
    const differs = order.length !== rows.size || [...rows.keys()].some((id, i) => id !== order[i]);
    if (!differs) return done(name, state);
    const isRecent = !hasActed() && Date.now() - state.movedAtMs < SETTLE_MS;
    if (!isForced && rows.size > 0 && (isHeld() || isRecent)) {
      const fresh = order.filter((id) => !rows.has(id) && !isCritical(stash.get(id))).length;
      showHeld(
        name,
        isHeld(),
        name === 'findings' && fresh > 0 ? `${fresh} new, held while you are here` : undefined,
      );
      // Rows that are new go to the end: nothing that is there moves for them.
      if (name === 'queues') append(parent, order, rows, stash);
      else showCritical(parent, order, rows, stash);
      return;
    }
    const focused = document.activeElement;
    const put = () => {
      let place = parent.firstElementChild;
      for (const id of order) {
        const row = rows.get(id) ?? (stash.has(id) ? make(stash.get(id)) : null);
        if (!row) continue;
        if (row === place) place = place.nextElementSibling;
        else {
          parent.insertBefore(row, place);
          if (!rows.has(id)) htmx.process(row);
        }
      }
      for (const [id, row] of rows) if (!wanted.has(id)) row.remove();
    };
    keepInPlace(put);
    if (focused && focused !== document.activeElement && focused.isConnected)
      focused.focus({ preventScroll: true });
    state.movedAtMs = Date.now();
    done(name, state);
  }

  function append(parent, order, rows, stash) {
    for (const id of order) {
      if (rows.has(id) || !stash.has(id)) continue;
      const row = make(stash.get(id));
      parent.append(row);
      htmx.process(row);
      stash.delete(id);
    }
  }

  const isCritical = (html) => html !== undefined && /^<li[^>]* class="[^"]*severity-critical/.test(html);

  /** New and critical comes on top at once; the page goes along, so that what is under the hand stays there. */
  function showCritical(parent, order, rows, stash) {
    keepInPlace(() => {
      for (const id of order.toReversed()) {
        if (rows.has(id) || !isCritical(stash.get(id))) continue;
        const row = make(stash.get(id));
        parent.prepend(row);
        htmx.process(row);
        stash.delete(id);
      }
    });
  }

  /** What is under the pointer, or has the focus, stays where it is on the screen whatever comes above it. */
  function keepInPlace(change) {
    const areas = '.findings-section, .queues';
    const hovered = [...document.querySelectorAll(':hover')].at(-1);
    const anchor = [hovered, document.activeElement].find((element) => element?.closest?.(areas));
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (!anchor?.isConnected) return;
    const movedPx = anchor.getBoundingClientRect().top - before;
    if (movedPx !== 0) scrollBy({ top: movedPx, behavior: 'instant' });
  }

  function done(name, state) {
    for (const id of state.order) state.stash.delete(id);
    state.order = null;
    showHeld(name, false);
  }

  function showHeld(name, isShown, text = 'Order held while you are here') {
    const notice = document.querySelector(`[data-held="${name}"]`);
    if (!notice) return;
    if (notice.hidden === isShown) notice.hidden = !isShown;
    const words = notice.querySelector('[data-held-text]');
    if (words.textContent !== text) words.textContent = text;
  }

  // A hand that leaves lets things fall into place; so does time.
  setInterval(() => {
    for (const [name, state] of lists) if (state.order) settle(name);
  }, 1000);

  document.addEventListener('click', (event) => {
    if (!event.target.closest?.('[data-release]')) return;
    for (const name of lists.keys()) settle(name, true);
  });

  // Another view of the table (search, sort, page) has rows of its own.
  document.addEventListener('htmx:before:request', (event) => {
    if (event.detail.ctx.target?.id === 'page') lists.clear();
  });

  // ---- Selection
  const boxes = () => [...document.querySelectorAll('[data-bulk] tbody input[type="checkbox"]')];

  function showSelection() {
    const form = document.querySelector('[data-bulk]');
    const count = form?.querySelector('[data-bulk-count]');
    if (!count) return;
    const selected = boxes().filter((box) => box.checked).length;
    const text = selected === 0 ? 'None selected' : `${selected} selected`;
    if (count.textContent !== text) count.textContent = text;
    form.classList.toggle('has-selection', selected > 0);
    for (const button of form.querySelectorAll('.bulk button')) button.disabled = selected === 0;
    const all = form.querySelector('[data-check-all]');
    if (all) {
      all.checked = selected > 0 && selected === boxes().length;
      all.indeterminate = selected > 0 && !all.checked;
    }
  }

  document.addEventListener('change', (event) => {
    if (event.target.matches?.('[data-check-all]')) {
      for (const box of boxes()) box.checked = event.target.checked;
    }
    if (event.target.closest?.('[data-bulk]')) showSelection();
  });
  document.addEventListener('htmx:after:swap', showSelection);
  showSelection();
})();
