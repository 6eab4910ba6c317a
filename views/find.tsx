import type { FC } from 'hono/jsx';

export interface Found {
  readonly href: string;
  readonly label: string;
  /** What it is and where: "Queue · shop". */
  readonly about: string;
}

export interface FindProps {
  readonly text: string;
  readonly found: readonly Found[];
  /** Where a job of that id is looked for in all queues; null: the text can't be one. */
  readonly jobHref: string | null;
}

/** Opens the search over everything. A link, so that it leads to the same search where there is no script. */
export const FindButton: FC = () => (
  <a class="find-button" href="/find" data-find="" aria-keyshortcuts="Control+K Meta+K">
    Find <kbd>Ctrl K</kbd>
  </a>
);

export const FindField: FC<{ readonly text: string; readonly isLive: boolean }> = ({ text, isLive }) => (
  <search>
    <form
      class="find-form"
      method="get"
      action="/find"
      {...(isLive
        ? {
            'hx-get': '/find',
            'hx-target': '#found',
            'hx-swap': 'outerHTML',
            'hx-trigger': 'input delay:80ms, open-find',
            'hx-sync': 'this:replace',
          }
        : {})}
    >
      <label class="visually-hidden" for={isLive ? 'find' : 'find-page'}>
        Find a queue, job type, worker, job id, page or action
      </label>
      <input
        id={isLive ? 'find' : 'find-page'}
        class="find-input"
        type="search"
        name="q"
        value={text}
        maxlength={200}
        placeholder="Queue, job type, worker, job id, page or action"
        autocomplete="off"
        spellcheck={false}
      />
    </form>
  </search>
);

/** What was found, best first. */
export const FoundList: FC<FindProps> = ({ text, found, jobHref }) => (
  <div id="found" class="found" aria-live="polite">
    {found.length === 0 && text !== '' ? <p class="muted">Nothing is called that.</p> : null}
    <ul>
      {found.map(({ href, label, about }) => (
        <li>
          <a href={href}>
            <span class="found-label">{label}</span> <span class="muted">{about}</span>
          </a>
        </li>
      ))}
      {jobHref ? (
        <li>
          <a href={jobHref}>
            <span class="found-label">Job {text}</span>{' '}
            <span class="muted">look for this id in all queues</span>
          </a>
        </li>
      ) : null}
    </ul>
  </div>
);

/** The search over the page, by Ctrl-K. */
export const Palette: FC = () => (
  <dialog id="palette" class="palette" aria-label="Find">
    <FindField text="" isLive={true} />
    <FoundList text="" found={[]} jobHref={null} />
    <p class="muted palette-keys">
      <kbd>↑</kbd> <kbd>↓</kbd> choose · <kbd>Enter</kbd> open · <kbd>Esc</kbd> close
    </p>
  </dialog>
);
