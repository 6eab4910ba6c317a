import { z } from '@hono/zod-openapi';
import { alertFingerprint } from '../../alerts/notification.js';
import type { AlertView } from '../../model/alert.js';
import { StoredAlertSchema } from '../../model/alert.js';
import { jsonWriter } from '../../model/json.js';
import { type Silence, SilenceAskSchema, SilenceFacts } from '../../model/silence.js';
import type { AppDeps } from '../app-deps.js';
import { Problem } from '../problem.js';
import { apiPart, changeBy, changeQuery, dryRunQuery, jsonBody, jsonRoute, limitOf, reason } from './env.js';

const SilenceSchema = SilenceFacts.extend({ remainingSeconds: z.number() }).openapi('Silence');

export const AlertSchema = StoredAlertSchema.extend({
  fingerprint: z.string().describe('The same as long as rule and subject are'),
  rule: z.object({ id: z.string(), name: z.string() }),
  value: z.number().nullable(),
  isSeen: z.boolean().describe('false: not known at the last look; the state holds'),
  silencedBy: SilenceSchema.nullable(),
  finding: z.object({ key: z.string(), code: z.string(), headline: z.string() }).nullable(),
  path: z.string().describe('Where the console shows it'),
}).openapi('Alert');

const writeAlert = jsonWriter(AlertSchema);
const writeSilence = jsonWriter(SilenceSchema);

function alertJson({ alert, finding, firstRemedy, path, silence }: AlertView, nowMs: number, base: string) {
  const { value } = alert;
  return writeAlert(alert, {
    fingerprint: alertFingerprint(alert),
    rule: { id: alert.ruleId, name: alert.ruleName },
    value: value !== null && Number.isFinite(value) ? value : null,
    isSeen: alert.seen !== 'unknown',
    silencedBy: silence && silenceJson(silence, nowMs),
    finding: finding && { ...finding },
    firstRemedy,
    path: base + path,
  });
}

function silenceJson(silence: Silence, nowMs: number) {
  return writeSilence(silence, { remainingSeconds: Math.max(0, silence.endsAtMs - nowMs) / 1000 });
}

const MAX_LISTED = 1_000;
const idParam = z.object({ id: z.string().max(100) });

const listRoute = jsonRoute(
  'get /alerts',
  'Alerts: firing (worst first) and pending, or those that are over (latest first)',
  z.object({
    alerts: z.array(AlertSchema),
    total: z.number(),
    problem: z.string().nullable().describe('Why alerts are not kept at present'),
  }),
  {
    query: z.object({
      state: z
        .enum(['pending', 'firing', 'resolved'], 'must be pending, firing or resolved')
        .optional()
        .describe('Pending and firing unless given'),
      instance: z.string().optional(),
      limit: limitOf(MAX_LISTED, 200),
    }),
  },
);

const acknowledgeRoute = jsonRoute(
  'post /alerts/{id}/acknowledge',
  'Say that you know: nobody is notified of the alert again while it fires',
  AlertSchema,
  { params: idParam, query: dryRunQuery, body: jsonBody(z.strictObject({ reason })) },
);

const silencesRoute = jsonRoute(
  'get /silences',
  'Silences that hold, the one that ends last first',
  z.object({ silences: z.array(SilenceSchema) }),
);

const silenceRoute = jsonRoute(
  'post /silences',
  'Have nobody notified of what matches, until it ends; it is still judged and shown',
  SilenceSchema,
  {
    query: dryRunQuery,
    body: jsonBody(SilenceAskSchema.extend({ reason })),
  },
);

const endRoute = jsonRoute('delete /silences/{id}', 'End a silence now', z.object({ ended: SilenceSchema }), {
  params: idParam,
  query: changeQuery,
});

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
      const shown = meant.slice(0, limit).map((view) => alertJson(view, deps.now(), c.get('origin').base));
      return c.json({ alerts: shown, total: meant.length, problem: deps.alerting.problem() }, 200);
    })
    .openapi(acknowledgeRoute, async (c) => {
      const { id } = c.req.valid('param');
      const view = await alerts.acknowledge(changeBy(c, c.req.valid('json').reason), id);
      if (!view) throw new Problem(404, 'not-found', `there is no alert ${id} that is pending or fires`);
      return c.json(alertJson(view, deps.now(), c.get('origin').base), 200);
    })
    .openapi(silencesRoute, (c) =>
      c.json({ silences: deps.alerting.silences().map((one) => silenceJson(one, deps.now())) }, 200),
    )
    .openapi(silenceRoute, async (c) => {
      const { reason, ...asked } = c.req.valid('json');
      const silence = await alerts.silence(changeBy(c, reason), asked);
      if (!silence) throw new Problem(409, 'too-many', 'there are 500 silences: end some first');
      return c.json(silenceJson(silence, deps.now()), 200);
    })
    .openapi(endRoute, async (c) => {
      const { id } = c.req.valid('param');
      const ended = await alerts.endSilence(changeBy(c, c.req.valid('query').reason), id);
      if (!ended) throw new Problem(404, 'not-found', `there is no silence ${id} that holds`);
      return c.json({ ended: silenceJson(ended, deps.now()) }, 200);
    });
}
