import { Hono } from 'hono';
import { assets } from './assets.js';

/** Style sheets, scripts and icons. With the right version in the address they never change; else they are asked for anew. */
export function staticRoutes(): Hono {
  const app = new Hono();
  app.get('/static/*', (c) => {
    const asset = assets().get(c.req.path.slice('/static/'.length));
    if (!asset) return c.text('there is no such file', 404);
    const isVersioned = c.req.query('v') === asset.etag;
    const headers = {
      'Content-Type': asset.type,
      'Cache-Control': isVersioned ? 'public, max-age=31536000, immutable' : 'no-cache',
      ETag: `"${asset.etag}"`,
    };
    const known = c.req.header('if-none-match') ?? '';
    // A proxy or the compressor may have made the tag a weak one.
    if (known.includes(`"${asset.etag}"`)) return c.body(null, 304, headers);
    return c.body(asset.body, 200, headers);
  });
  app.get('/favicon.ico', (c) => c.redirect('/static/favicon-calm.svg', 301));
  return app;
}
