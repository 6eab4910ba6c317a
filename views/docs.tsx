import type { FC } from 'hono/jsx';
import { Document } from './document.js';

export interface DocsOperation {
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly place: string;
    readonly description: string;
    readonly isRequired: boolean;
  }[];
  readonly takesBody: boolean;
}

export interface DocsProps {
  readonly styles: readonly string[];
  readonly version: string;
  readonly operations: readonly DocsOperation[];
  readonly actions: readonly {
    readonly name: string;
    readonly about: string;
    readonly role: string;
    readonly scope: string;
  }[];
  readonly problems: readonly { readonly code: string; readonly title: string }[];
}

/** The API on one page, from its own OpenAPI document. */
export const DocsPage: FC<DocsProps> = ({ styles, version, operations, actions, problems }) => (
  <Document>
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>API · Spillway</title>
      {styles.map((href) => (
        <link rel="stylesheet" href={href} />
      ))}
    </head>
    <body>
      <main class="docs">
        <h1>Spillway API {version}</h1>
        <p>
          <a href="/">Console</a> · <a href="/api/v1/openapi.json">OpenAPI 3.1 document</a>
        </p>
        <p>
          Send <code>Authorization: Bearer &lt;token&gt;</code> where tokens are configured. Every change
          takes <code>?dryRun=true</code> and an <code>Idempotency-Key</code>; errors are{' '}
          <code>application/problem+json</code>.
        </p>
        <h2 id="prometheus">Prometheus and Grafana</h2>
        <p>
          <a href="/metrics">/metrics</a> is for Prometheus;{' '}
          <a href="/static/prometheus-rules.yml" download="">
            alerting rules
          </a>{' '}
          and a{' '}
          <a href="/static/grafana-dashboard.json" download="">
            dashboard for Grafana
          </a>{' '}
          are ready to be loaded.
        </p>
        <h2>Paths</h2>
        {operations.map((operation) => (
          <Operation {...operation} />
        ))}
        <h2>Actions</h2>
        <p>
          <code>POST /api/v1/actions/&#123;action&#125;</code>;{' '}
          <a href="/api/v1/actions">their arguments as JSON Schema</a>.
        </p>
        <dl>
          {actions.map((action) => (
            <>
              <dt>
                <code>{action.name}</code> ({action.scope}, {action.role})
              </dt>
              <dd>{action.about}</dd>
            </>
          ))}
        </dl>
        <h2>Problems</h2>
        <dl>
          {problems.map((problem) => (
            <>
              <dt id={`problem-${problem.code}`}>
                <code>{problem.code}</code>
              </dt>
              <dd>{problem.title}</dd>
            </>
          ))}
        </dl>
      </main>
    </body>
  </Document>
);

const Operation: FC<DocsOperation> = ({ method, path, summary, parameters, takesBody }) => (
  <section class="operation">
    <h3>
      <span class="method">{method}</span> <code>{path}</code>
    </h3>
    <p>
      {summary}
      {takesBody ? '. Takes a JSON body.' : ''}
    </p>
    {parameters.length > 0 ? (
      <ul>
        {parameters.map((parameter) => (
          <li>
            <code>{parameter.name}</code> ({parameter.place}
            {parameter.isRequired ? ', required' : ''}) {parameter.description}
          </li>
        ))}
      </ul>
    ) : null}
  </section>
);
