import type { FC } from 'hono/jsx';

/** The way from a thing to the page that documents it. */
export const DocsMark: FC<{ readonly kind: 'findings' | 'actions' | 'signals'; readonly name: string }> = ({
  kind,
  name,
}) => (
  <a class="docs-mark" href={`/docs/${kind}/${name}`} aria-label={`About ${name}`} title={`About ${name}`}>
    ?
  </a>
);

/** The same for a signal, where it is one. */
export const SignalMark: FC<{ readonly name: string | undefined }> = ({ name }) =>
  name === undefined ? null : <DocsMark kind="signals" name={name} />;
