import type { FC } from 'hono/jsx';
import type { Brief } from '../server/model/brief.js';

/** Why, what it does to users, what to do: of a finding, an alert, an entry of the timeline. */
export const BriefLines: FC<Omit<Brief, 'headline'>> = ({ cause, effect, action }) => (
  <dl class="brief">
    {[
      ['Cause', cause],
      ['Effect', effect],
      ['Do', action],
    ].map(([word, text]) =>
      text === '' ? null : (
        <div class={word === 'Do' ? 'brief-do' : undefined}>
          <dt>{word}</dt>
          <dd>{text}</dd>
        </div>
      ),
    )}
  </dl>
);
