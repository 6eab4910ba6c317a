import type { FC } from 'hono/jsx';
import { CloseButton } from './controls.js';

interface GroupMatchProps {
  readonly summary: string;
  readonly names: readonly string[];
  readonly more: number;
  readonly actions: readonly { readonly label: string; readonly about: string; readonly href: string }[];
}

export interface GroupProps {
  readonly instances: readonly { readonly name: string; readonly isSelected: boolean }[];
  readonly match: string;
  readonly groups: readonly { readonly name: string; readonly globs: string }[];
  readonly found: GroupMatchProps;
}

/** Which queues, and what to do with all of them at once. */
export const ActionGroup: FC<GroupProps> = ({ instances, match, groups, found }) => (
  <div class="action">
    <header class="drawer-head">
      <h2 id="drawer-title" tabindex={-1}>
        Act on a group of queues
      </h2>
      <CloseButton />
    </header>
    <form
      id="group-form"
      method="get"
      action="/action/group"
      hx-get="/action/group"
      hx-trigger="submit, input delay:200ms"
      hx-target="#group-found"
      hx-select="#group-found"
      hx-swap="outerMorph"
      hx-sync="this:replace"
    >
      {instances.length > 1 ? (
        <div class="field">
          <label for="group-instance">Redis</label>
          <select id="group-instance" name="instance">
            {instances.map((instance) => (
              <option value={instance.name} selected={instance.isSelected}>
                {instance.name}
              </option>
            ))}
          </select>
        </div>
      ) : (
        <input type="hidden" name="instance" value={instances[0]?.name ?? ''} />
      )}
      <div class="field">
        <label for="group-match">Queues whose name or id matches</label>
        <input
          id="group-match"
          name="match"
          value={match}
          list="group-list"
          class="input-text"
          autocomplete="off"
          spellcheck={false}
          aria-describedby="group-hint"
        />
        <datalist id="group-list">
          {groups.map((group) => (
            <option value={group.globs}>{group.name}</option>
          ))}
        </datalist>
        <p id="group-hint" class="hint">
          * stands for any characters, ? for one; large and small characters differ.
        </p>
      </div>
      <button class="button no-script-only" type="submit">
        Find
      </button>
    </form>
    <GroupMatch {...found} />
  </div>
);

const GroupMatch: FC<GroupMatchProps> = ({ summary, names, more, actions }) => (
  <section id="group-found" class="group-found">
    <p class="preview-summary" role="status">
      {summary}
    </p>
    {names.length > 0 ? (
      <ul class="group-names">
        {names.map((name) => (
          <li>{name}</li>
        ))}
        {more > 0 ? <li>and {more} more</li> : null}
      </ul>
    ) : null}
    <ul class="remedies">
      {actions.map((action) => (
        <li class="remedy">
          <a class="remedy-button" href={action.href} data-drawer="">
            <span class="remedy-label">{action.label}</span>
            <span class="remedy-effect">{action.about}</span>
          </a>
        </li>
      ))}
    </ul>
  </section>
);
