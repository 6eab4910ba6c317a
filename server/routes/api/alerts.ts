import { z } from '@hono/zod-openapi';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';
import { AlertSchema, alertJson, SilenceSchema, silenceJson } from './alert-schemas.js';
import { apiPart, jsonBody, jsonRoute, reason } from './env.js';

const LONGEST_SILENCE_SECONDS = 30 * 24 * 3600;
const MAX_LISTED = 1_000;
const ONE_LINE = /^\P{Cc}*$/u;
const idParam = z.object({ id: z.string().max(100) });
const glob = z.string('must be a glob').min(1, 'must not be empty').max(300);

const listRoute = jsonRoute(
  {
    method: 'get',
    path: '/alerts',
    summary: 'Alerts: firing (worst first) and pending, or those that are over (latest first)',
    request: {
      query: z.object({
        state: z
          .enum(['pending', 'firing', 'resolved'], 'must be pending, firing or resolved')
          .optional()
          .openapi({ description: 'Pending and firing unless given' }),
        instance: z.string().optional(),
        limit: z.coerce
          .number('must be a number')
          .int()
          .min(1, 'must be at least 1')
          .max(MAX_LISTED, `must be at most ${MAX_LISTED}`)
          .default(200),
      }),
    },
  },
  z.object({
    alerts: z.array(AlertSchema),
    total: z.number(),
    problem: z.string().nullable().openapi({ description: 'Why alerts are not kept at present' }),
  }),
);

const acknowledgeRoute = jsonRoute(
  {
    method: 'post',
    path: '/alerts/{id}/acknowledge',
    summary: 'Say that you know: the alert is not told again while it fires',
    request: {
      params: idParam,
      body: jsonBody(
        z.strictObject({
          note: z
            .string('must be text')
            .trim()
            .max(300, 'must be at most 300 characters')
            .regex(ONE_LINE, 'must be one line')
            .default(''),
        }),
      ),
    },
  },
  AlertSchema,
);

const silencesRoute = jsonRoute(
  { method: 'get', path: '/silences', summary: 'Silences that hold, the one that ends last first' },
  z.object({ silences: z.array(SilenceSchema) }),
);

const silenceRoute = jsonRoute(
  {
    method: 'post',
    path: '/silences',
    summary: 'Have nobody told of what matches, until it ends; it is still judged and shown',
    request: {
      body: jsonBody(
        z.strictObject({
          matchers: z
            .strictObject({
              rule: glob.optional().openapi({ description: 'Of rule ids' }),
              cause: glob.optional().openapi({ description: 'Of finding codes, or signal: and a name' }),
              instance: glob.optional(),
              queue: glob.optional().openapi({ description: 'Of queue ids' }),
              type: glob.optional(),
              severity: z
                .enum(['critical', 'warning', 'info'], 'must be critical, warning or info')
                .optional(),
            })
            .refine((given) => Object.keys(given).length > 0, 'must say what is silenced: give at least one'),
          durationSeconds: z
            .number('must be a number of seconds')
            .min(60, 'must be at least 60 s')
            .max(LONGEST_SILENCE_SECONDS, `must be at most ${LONGEST_SILENCE_SECONDS} s, 30 days`),
          comment: z
            .string('must say why')
            .trim()
            .min(1, 'must say why')
            .max(300, 'must be at most 300 characters')
            .regex(ONE_LINE, 'must be one line'),
        }),
      ),
    },
  },
  SilenceSchema,
);

const endRoute = jsonRoute(
  {
    method: 'delete',
    path: '/silences/{id}',
    summary: 'End a silence now',
    request: { params: idParam, query: z.object({ reason }) },
  },
  z.object({ ended: SilenceSchema }),
);

export function alertsApi(deps: Pick<AppDeps, 'alerts' | 'alerting' | 'now'>) {
  const { alerts } = deps;
  return apiPart()
    .openapi(listRoute, async (c) => {
      const { state, instance, limit } = c.req.valid('query');
      const found = state === 'resolved' ? await alerts.resolved({ limit }) : await alerts.open();
      const meant = found.filter(
        ({ alert }) =>
          (state === undefined || alert.state === state) &&
          (instance === undefined || alert.subject.instance === instance),
      );
      const shown = meant.slice(0, limit).map((view) => alertJson(view, deps.now()));
      return c.json({ alerts: shown, total: meant.length, problem: deps.alerting.problem() }, 200);
    })
    .openapi(acknowledgeRoute, async (c) => {
      const { id } = c.req.valid('param');
      const view = await alerts.acknowledge(c.get('actor'), id, c.req.valid('json').note);
      if (!view) throw new Problem(404, 'not-found', `there is no alert ${id} that is pending or fires`);
      return c.json(alertJson(view, deps.now()), 200);
    })
    .openapi(silencesRoute, (c) =>
      c.json({ silences: deps.alerting.silences().map((one) => silenceJson(one, deps.now())) }, 200),
    )
    .openapi(silenceRoute, async (c) => {
      const { matchers, durationSeconds, comment } = c.req.valid('json');
      const given = Object.fromEntries(Object.entries(matchers).filter(([, value]) => value !== undefined));
      const endsAtMs = deps.now() + durationSeconds * 1000;
      const silence = await alerts.silence(c.get('actor'), { matchers: given, comment, endsAtMs });
      if (!silence) throw new Problem(409, 'too-many', 'there are 500 silences: end some first');
      return c.json(silenceJson(silence, deps.now()), 200);
    })
    .openapi(endRoute, async (c) => {
      const { id } = c.req.valid('param');
      const ended = await alerts.endSilence(c.get('actor'), id, c.req.valid('query').reason);
      if (!ended) throw new Problem(404, 'not-found', `there is no silence ${id} that holds`);
      return c.json({ ended: silenceJson(ended, deps.now()) }, 200);
    });
}
