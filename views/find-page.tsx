import type { FC } from 'hono/jsx';
import { FindField, type FindProps, FoundList } from './find.js';
import { type Chrome, Layout } from './layout.js';

/** The same search as a page of its own, for browsers without script and for links. */
export const FindPage: FC<{ readonly chrome: Chrome; readonly view: FindProps; readonly note: string }> = ({
  chrome,
  view,
  note,
}) => (
  <Layout chrome={chrome}>
    <h1>Find</h1>
    <FindField text={view.text} isLive={false} />
    {note === '' ? null : <p>{note}</p>}
    <FoundList {...view} />
  </Layout>
);
