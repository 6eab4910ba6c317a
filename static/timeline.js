// The timeline: what is new comes in at the top, and text is copied where a button says so.
(() => {
  let isAsking = false;
  let isBehind = false;

  document.addEventListener('account', (event) => {
    const account = document.getElementById('account');
    if (!account || account.dataset.accountNewest === undefined) return;
    const { version } = JSON.parse(event.detail.data);
    if (String(version) !== account.dataset.accountVersion) lookAgain();
  });

  /** The same page, as it is now: its own filter holds. */
  async function lookAgain() {
    isBehind = isAsking;
    if (isAsking) return;
    isAsking = true;
    try {
      const response = await fetch(location.pathname + location.search, { headers: { accept: 'text/html' } });
      if (response.ok && !response.redirected)
        takeIn(new DOMParser().parseFromString(await response.text(), 'text/html'));
    } catch {
      // The page itself says when it has lost the console.
    } finally {
      isAsking = false;
      if (isBehind) lookAgain();
    }
  }

  function takeIn(page) {
    const [now, fresh] = [document.getElementById('account'), page.getElementById('account')];
    if (!now || !fresh) return;
    now.dataset.accountVersion = fresh.dataset.accountVersion;
    for (const day of fresh.querySelectorAll('.account-day')) {
      const known = document.getElementById(day.id);
      if (known) takeInDay(known, day);
      else insertBefore(now, day, (other) => other.id < day.id);
    }
    document.getElementById('account-empty').hidden = now.childElementCount > 0;
  }

  function takeInDay(known, day) {
    const [title, freshTitle] = [known.querySelector('h2'), day.querySelector('h2')];
    if (title.outerHTML !== freshTitle.outerHTML) title.replaceWith(freshTitle);
    const list = known.querySelector('ol');
    for (const entry of [...day.querySelectorAll('.activity-entry')]) {
      const here = document.getElementById(entry.id);
      if (!here) {
        entry.classList.add('is-new');
        insertBefore(list, entry, (other) => isOlder(other, entry));
      } else if (notesOf(here) !== notesOf(entry) && !isInUse(here)) here.replaceWith(entry);
    }
  }

  function insertBefore(parent, element, isAfter) {
    parent.insertBefore(element, [...parent.children].find(isAfter) ?? null);
  }

  function isOlder(other, entry) {
    const [a, b] = [Number(other.dataset.atMs), Number(entry.dataset.atMs)];
    return a < b || (a === b && other.id < entry.id);
  }

  const notesOf = (entry) => entry.querySelector('.account-notes')?.textContent ?? '';
  const isInUse = (entry) =>
    entry.contains(document.activeElement) || entry.querySelector('details[open], input:checked') !== null;

  // ---- Copy
  for (const button of document.querySelectorAll('[data-copy]')) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    const words = button.textContent;
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
        button.textContent = 'Copied';
      } catch {
        button.textContent = 'Could not copy';
      }
      setTimeout(() => {
        button.textContent = words;
      }, 2_000);
    });
  }
})();
