// The timeline: what is new comes in at the top, and text is copied where a button says so.
(() => {
  /** Bars that go on grow, though nothing new happens. */
  const GROWS_EVERY_MS = 15_000;
  let isAsking = false;
  let isBehind = false;

  document.addEventListener('activity', (event) => {
    const activity = newest();
    if (!activity) return;
    const { version } = JSON.parse(event.detail.data);
    if (String(version) !== activity.dataset.activityVersion) lookAgain();
  });
  setInterval(() => {
    if (newest() && !document.hidden) lookAgain();
  }, GROWS_EVERY_MS);

  /** The activity, where it goes on to now. */
  function newest() {
    const activity = document.getElementById('activity');
    return activity && activity.dataset.activityNewest !== undefined ? activity : null;
  }

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
    const [now, fresh] = [document.getElementById('activity'), page.getElementById('activity')];
    if (!now || !fresh) return;
    now.dataset.activityVersion = fresh.dataset.activityVersion;
    const picture = document.getElementById('activity-picture');
    if (!picture.contains(document.activeElement))
      picture.replaceWith(page.getElementById('activity-picture'));
    takeInRows(document.getElementById('activity-rows'), page.getElementById('activity-rows'));
    document.getElementById('activity-empty').hidden =
      document.getElementById('activity-rows').childElementCount > 0;
  }

  /** Each in its place; one that somebody reads or writes in stays as it is until they are done. */
  function takeInRows(now, fresh) {
    const wanted = [...fresh.children];
    const ids = new Set(wanted.map(({ id }) => id));
    for (const row of [...now.children]) if (!ids.has(row.id) && !isInUse(row)) row.remove();
    let before = null;
    for (const row of wanted) {
      const here = document.getElementById(row.id);
      if (!here) row.classList.add('is-new');
      const next = here && (isInUse(here) || here.isEqualNode(row)) ? here : row;
      if (here && next === row) here.replaceWith(row);
      else if (!here) now.insertBefore(row, before ? before.nextSibling : now.firstChild);
      before = next;
    }
  }

  const isInUse = (row) =>
    row.contains(document.activeElement) || row.querySelector('details[open], input:checked') !== null;

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
