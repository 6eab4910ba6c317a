import type { FC } from 'hono/jsx';
import type { Remedy } from '../server/model/finding.js';

/** An action with everything filled in, as a button. It is a link, so that it works without a script too. */
export interface RemedyProps extends Pick<Remedy, 'label' | 'effect' | 'suffices'> {
  /** null: this role may not; then it is named and not offered. */
  readonly href: string | null;
  readonly needsRole: string;
  /** It leads to a page of its own, not to a drawer. */
  readonly isPage?: boolean;
}

export const RemedyButton: FC<RemedyProps & { readonly isFirst?: boolean }> = ({
  label,
  effect,
  suffices,
  href,
  needsRole,
  isFirst = false,
  isPage = false,
}) => {
  const words = (
    <>
      <span class="remedy-label">
        {label}
        {suffices === true ? <span class="remedy-enough">✓ enough</span> : null}
        {suffices === false ? <span class="remedy-enough is-not">not enough alone</span> : null}
      </span>
      <span class="remedy-effect">
        {effect}
        {href === null ? ` Needs the role ${needsRole}.` : ''}
      </span>
    </>
  );
  return (
    <li class={href === null ? 'remedy remedy-named' : 'remedy'}>
      {href === null ? (
        words
      ) : (
        <a
          class={isFirst ? 'remedy-button is-first' : 'remedy-button'}
          href={href}
          data-drawer={isPage ? undefined : ''}
          title={effect}
        >
          {words}
        </a>
      )}
    </li>
  );
};
