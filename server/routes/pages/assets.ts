import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { Hono } from 'hono';
import { packagePath } from '../../process/package-path.js';

/** One file that a browser may ask for. */
interface Asset {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json; charset=utf-8',
  '.yml': 'application/yaml; charset=utf-8',
};

/** Scripts of other packages, by the name under which they are served, found through Node's own resolution. */
const VENDOR: Readonly<Record<string, readonly [packageEntry: string, file: string]>> = {
  'htmx.min.js': ['htmx.org/package.json', 'dist/htmx.min.js'],
  'hx-sse.min.js': ['htmx.org/package.json', 'dist/ext/hx-sse.min.js'],
  'chart.umd.min.js': ['chart.js', 'chart.umd.min.js'],
  'chartjs-plugin-annotation.min.js': ['chartjs-plugin-annotation', 'chartjs-plugin-annotation.min.js'],
};

/** Of pages outside of the console's frame. */
export const PLAIN_STYLES = ['tokens.css', 'base.css', 'plain-page.css'];

let loaded: ReadonlyMap<string, Asset> | null = null;

/** All assets by path below /static/, read once: they are few, small, and never change while the console runs. */
export function assets(): ReadonlyMap<string, Asset> {
  loaded ??= new Map([...ownAssets(), ...vendorAssets()]);
  return loaded;
}

/** Address of an asset with its content in the version, so that it may be cached for ever. */
export function assetUrl(path: string): string {
  const asset = assets().get(path);
  return asset ? `/static/${path}?v=${asset.etag}` : `/static/${path}`;
}

function ownAssets(): readonly (readonly [string, Asset])[] {
  const directory = packagePath('static');
  return readdirSync(directory)
    .filter((file) => TYPES[extname(file)] !== undefined)
    .map((file) => [file, read(join(directory, file))] as const);
}

function vendorAssets(): readonly (readonly [string, Asset])[] {
  const { resolve } = createRequire(packagePath('package.json'));
  return Object.entries(VENDOR).map(
    ([name, [entry, file]]) => [`vendor/${name}`, read(join(dirname(resolve(entry)), file))] as const,
  );
}

function read(path: string): Asset {
  const body = new Uint8Array(readFileSync(path));
  return {
    body,
    type: TYPES[extname(path)] ?? 'application/octet-stream',
    etag: createHash('sha256').update(body).digest('base64url').slice(0, 12),
  };
}

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
