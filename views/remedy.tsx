import type { FC } from 'hono/jsx';

/** An action with everything filled in, as a button. It is a link, so that it works without a script too. */
export interface RemedyProps {
  readonly label: string;
  readonly effect: string;
  /** null: this role may not; then it is told and not offered. */
  readonly href: string | null;
  readonly needsRole: string;
  /** It leads to a page of its own, not to a drawer. */
  readonly isPage?: boolean;
}

export const RemedyButton: FC<RemedyProps & { readonly isFirst?: boolean }> = ({
  label,
  effect,
  href,
  needsRole,
  isFirst = false,
  isPage = false,
}) =>
  href === null ? (
    <li class="remedy remedy-told">
      <span class="remedy-label">{label}</span>
      <span class="remedy-effect">
        {effect} Needs the role {needsRole}.
      </span>
    </li>
  ) : (
    <li class="remedy">
      <a
        class={isFirst ? 'remedy-button is-first' : 'remedy-button'}
        href={href}
        data-drawer={isPage ? undefined : ''}
        title={effect}
      >
        <span class="remedy-label">{label}</span>
        <span class="remedy-effect">{effect}</span>
      </a>
    </li>
  );
