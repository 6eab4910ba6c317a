// The search over everything (Ctrl-K), and the keys of the page: `/`, `j`, `k`, `?`.
(() => {
  const palette = document.getElementById('palette');
  const field = document.getElementById('find');
  const links = () => [...palette.querySelectorAll('#found a')];
  const isTyping = (target) => target.closest?.('input, textarea, select, [contenteditable]') !== null;

  function openPalette() {
    if (palette.open || document.querySelector('dialog[open]')) return;
    palette.showModal();
    field.value = '';
    field.focus();
    htmx.trigger(field.form, 'open-find');
  }

  document.addEventListener('click', (event) => {
    if (event.target.closest?.('[data-find]')) {
      event.preventDefault();
      openPalette();
    } else if (event.target === palette) palette.close();
  });

  /** Moves among the links; from the field the first one down is the second, as Enter in the field opens the first. */
  function move(step) {
    const all = links();
    if (all.length === 0) return;
    const at = all.indexOf(document.activeElement);
    const next = at + (at < 0 && step > 0 ? 1 : step);
    if (next < 0) field.focus();
    else all[Math.min(next, all.length - 1)].focus();
  }

  // Found anew while the focus is in the list: it stays there.
  document.addEventListener('htmx:after:swap', () => {
    if (palette.open && !palette.contains(document.activeElement)) (links()[0] ?? field).focus();
  });

  palette.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      move(event.key === 'ArrowDown' ? 1 : -1);
    } else if (event.key === 'Enter' && event.target === field) {
      event.preventDefault();
      links()[0]?.click();
    }
  });

  /** `j` and `k` go from row to row: the first link or button of each. */
  function moveRow(step) {
    const rows = [...document.querySelectorAll('main [data-list] > *')].filter((row) =>
      row.querySelector('a, button'),
    );
    if (rows.length === 0) return;
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const row =
      rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + step))];
    row.querySelector('a, button').focus();
    row.scrollIntoView({ block: 'nearest' });
  }

  function showKeys() {
    const keys = document.getElementById('keys');
    if (!document.querySelector('dialog[open]')) keys.showModal();
  }
  const help = document.querySelector('[data-keys-help]');
  if (help) {
    help.hidden = false;
    help.addEventListener('click', () => {
      document.getElementById('user-menu').hidePopover();
      showKeys();
    });
  }

  document.addEventListener('keydown', (event) => {
    if (event.key === 'k' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      openPalette();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector('dialog[open]')) return;
    if (event.key === 'j' || event.key === 'k') moveRow(event.key === 'j' ? 1 : -1);
    else if (event.key === '?') showKeys();
    else if (event.key === '/') {
      const search = document.getElementById('search');
      event.preventDefault();
      if (!search) return openPalette();
      search.focus();
      search.select();
    }
  });
})();
