// The drawer: a modal dialog, so that the browser itself keeps the focus inside and closes it by Escape.
(() => {
  const drawer = document.getElementById('drawer');
  const body = document.getElementById('drawer-body');
  if (!drawer || !body) return;
  /** Where the focus goes back to: the element, or its row's name if the row was drawn anew meanwhile. */
  let opener = null;

  function open(href, from) {
    if (!drawer.open) opener = { element: from, row: from?.closest?.('tr, li')?.id ?? null };
    body.replaceChildren(loading());
    if (!drawer.open) drawer.showModal();
    htmx.ajax('GET', href, { source: body, target: body, swap: 'innerHTML' });
  }

  function loading() {
    const text = document.createElement('p');
    text.className = 'drawer-loading';
    text.textContent = 'Asking Redis…';
    return text;
  }

  drawer.addEventListener('close', () => {
    body.replaceChildren();
    const back = opener?.element?.isConnected
      ? opener.element
      : document.getElementById(opener?.row ?? '')?.querySelector('a');
    (back ?? document.getElementById('page'))?.focus();
    opener = null;
  });

  document.addEventListener('click', (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    const link = event.target.closest?.('a[data-drawer]');
    if (link) {
      event.preventDefault();
      open(link.getAttribute('href'), link);
      return;
    }
    if (event.target.closest?.('[data-drawer-close]')) {
      if (drawer.open) drawer.close();
      // The same as a page of its own: there is nothing below it.
      else location.href = `${document.documentElement.dataset.base ?? ''}/`;
      return;
    }
    // A press beside the sheet closes it, as long as nothing was typed that would be lost.
    if (event.target === drawer && !body.querySelector('form[data-typed]')) drawer.close();
  });

  document.addEventListener(
    'input',
    (event) => {
      // In the drawer, or where it is a page of its own.
      if (!event.target.closest('[data-action-view]')) return;
      event.target.closest('form')?.setAttribute('data-typed', '');
      // Who types a number does not want "no limit" any more.
      if (event.target.type === 'checkbox') return;
      const none = event.target.closest('.field')?.querySelector('.field-none input');
      if (none) none.checked = false;
    },
    true,
  );

  // A change that changes nothing can't be made; whoever types another number can at once, before its preview comes.
  const submitOf = (element) => element.closest('[data-action-view]')?.querySelector('[data-action-submit]');
  document.addEventListener('input', ({ target }) => {
    const submit = target.closest?.('#action-fields') ? submitOf(target) : null;
    if (submit) submit.disabled = false;
  });
  document.addEventListener('htmx:after:swap', (event) => {
    const { target } = event.detail.ctx;
    const submit = target?.id === 'action-preview' ? submitOf(target) : null;
    if (submit)
      submit.disabled =
        document.getElementById('action-preview')?.classList.contains('preview-nothing') ?? false;
  });

  // A slider and the number beside it are the same value. Before htmx sees the event, so that it sends what is shown.
  document.addEventListener(
    'input',
    ({ target }) => {
      const followed = target.dataset?.follows ? document.getElementById(target.dataset.follows) : null;
      if (followed) followed.value = target.value;
      else if (target.id) {
        const slider = document.querySelector(`[data-follows="${CSS.escape(target.id)}"]`);
        if (slider && target.value.trim() !== '') slider.value = target.value.replace(/[,_\s]/g, '');
      }
    },
    true,
  );

  // Selected rows: the form's own address, opened in the drawer.
  document.addEventListener('submit', (event) => {
    const form = event.target.closest?.('[data-bulk]');
    if (!form) return;
    event.preventDefault();
    open(
      `${form.getAttribute('action')}?${new URLSearchParams(new FormData(form, event.submitter))}`,
      event.submitter,
    );
  });

  // After each swap the focus is where reading goes on: the first bad field, else what came.
  document.addEventListener('htmx:after:swap', (event) => {
    const view = event.detail.ctx.target;
    if (!view?.matches?.('[data-action-view]')) return;
    drawer.scrollTop = 0;
    // On a phone a focused field brings up the keyboard over what there is to read first.
    const isTouch = matchMedia('(pointer: coarse)').matches;
    const field = isTouch ? null : view.querySelector('#action-fields input, #group-match');
    (view.querySelector('[aria-invalid="true"]') ?? field ?? view.querySelector('#drawer-title'))?.focus();
  });

  // What did not reach the console was not done: say so in the drawer and keep what was typed.
  function say(text) {
    const place = document.querySelector('[data-action-view] :is([data-drawer-trouble], .drawer-loading)');
    if (!place) return;
    place.textContent = text;
    place.hidden = false;
  }
  document.addEventListener('htmx:error', (event) => {
    if (!event.target.closest?.('[data-action-view]')) return;
    say('The console did not answer. If a change was under way, look at Actions before you try again.');
  });
  document.addEventListener('htmx:response:error', (event) => {
    if (!event.target.closest?.('[data-action-view]')) return;
    if (event.detail.ctx.response.status >= 500) {
      say(
        `The console answered with an error (${event.detail.ctx.response.status}). Nothing was shown as done; look at Actions before you try again.`,
      );
    }
  });
})();
