import { raw } from 'hono/html';
import type { PropsWithChildren } from 'hono/jsx';

/** A whole page: the doctype, without which browsers fall back to old ways of laying out, and the root element. */
export const Document = ({ children }: PropsWithChildren) => (
  <>
    {raw('<!doctype html>')}
    <html lang="en">{children}</html>
  </>
);
