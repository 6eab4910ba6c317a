import type { OpenAPIHono } from '@hono/zod-openapi';
import { Hono } from 'hono';
import { type DocsOperation, DocsPage } from '../../views/docs.js';
import { ACTIONS } from '../actions/index.js';
import type { GateEnv } from './gate.js';
import { assetUrl } from './pages/assets.js';
import { PROBLEM_TITLES } from './problem.js';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly required?: boolean;
}

/** /docs: the OpenAPI document as a page that needs no script and loads nothing from elsewhere. */
export function docsRoutes(api: OpenAPIHono<GateEnv>, version: string): Hono<GateEnv> {
  // Made when it is first asked for: it takes a tenth of all that a start takes.
  let operations: readonly DocsOperation[] | null = null;
  return new Hono<GateEnv>().get('/docs', (c) => {
    operations ??= operationsOf(api);
    return c.html(
      <DocsPage
        styles={['tokens.css', 'base.css', 'plain-page.css'].map(assetUrl)}
        version={version}
        operations={operations}
        actions={ACTIONS.map((action) => ({
          name: action.name,
          about: action.about,
          role: action.role,
          scope: action.scope,
        }))}
        problems={Object.entries(PROBLEM_TITLES).map(([code, title]) => ({ code, title }))}
      />,
    );
  });
}

function operationsOf(api: OpenAPIHono<GateEnv>): readonly DocsOperation[] {
  const document = api.getOpenAPI31Document({ openapi: '3.1.0', info: { title: 'Spillway', version: '1' } });
  return Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods ?? {}).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path: `/api/v1${path}`,
      summary: String(operation.summary ?? ''),
      parameters: ((operation.parameters ?? []) as readonly Parameter[]).map((parameter) => ({
        name: parameter.name,
        place: parameter.in,
        description: parameter.description ?? '',
        isRequired: parameter.required ?? false,
      })),
      takesBody: operation.requestBody !== undefined,
    })),
  );
}
