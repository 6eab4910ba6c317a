import { z } from 'zod';
import { grantsSchema, ROLES } from '../model/role.js';

/** What members of a group may do. */
const groupRole = z.strictObject({
  group: z.string('must be the name of a group, or * for everybody').min(1).max(300),
  role: z.enum(ROLES, `must be one of ${ROLES.join(', ')}`),
  grants: grantsSchema.optional(),
});
export type GroupRole = z.infer<typeof groupRole>;

/** The first one that fits counts. */
const roles = z
  .array(groupRole, 'must be a list of group and role: nobody has a role without it')
  .min(1, 'must give a role to at least one group')
  .max(1_000, 'must have at most 1000 entries');
/** Of nested claims: keys joined by dots. */
const claim = z.string().min(1).max(200);
/** Without TLS only on this machine: whoever is between could be anybody. */
const secureUrl = z
  .string()
  .refine((text) => URL.canParse(text) && isSafe(new URL(text)), 'must be an https:// URL');

function isSafe({ protocol, hostname, username, password, hash }: URL): boolean {
  if (username !== '' || password !== '' || hash !== '') return false;
  return (
    protocol === 'https:' || (protocol === 'http:' && /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname))
  );
}

/** Sign-in by an OpenID Connect provider. */
export const openidSchema = z.strictObject({
  issuer: secureUrl,
  clientId: z.string('must be the id that the provider gave this console').min(1).max(500),
  /** Absent: a public client, which PKCE alone protects. */
  clientSecret: z.string().min(1).max(2_000).optional(),
  scope: z
    .string()
    .regex(/(^| )openid( |$)/, 'must contain openid')
    .default('openid profile email'),
  /** Absent: the first there is of preferred_username and email, else the subject. */
  nameClaim: claim.optional(),
  groupsClaim: claim.default('groups'),
  roles,
  /** On the button: "Sign in with …". */
  label: z.string().min(1).max(60).default('single sign-on'),
  /** How often the provider is asked whether they may still come in, and as what. */
  checkMinutes: z.number().min(0.01).max(720, 'must be at most 720').default(10),
});
export type OpenidSettings = z.infer<typeof openidSchema>;

const header = z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'must be the name of a header');

/** A proxy before the console that signs people in and says in headers who they are. */
export const headerAuthSchema = z.strictObject({
  userHeader: header.default('X-Forwarded-User'),
  /** Its groups stand in it with commas. */
  groupsHeader: header.default('X-Forwarded-Groups'),
  roles,
});
export type HeaderAuthSettings = z.infer<typeof headerAuthSchema>;

/** Asymmetric ones alone: whoever can check a token must not be able to make one. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

/** The same, in a header that holds a JWT signed by the proxy. */
export const assertionAuthSchema = z.strictObject({
  header: header.default('Cf-Access-Jwt-Assertion'),
  jwksUrl: secureUrl,
  issuer: z.string('must be what its tokens have as iss').min(1).max(2_000),
  audience: z.string('must be what its tokens have as aud').min(1).max(2_000),
  algorithms: z
    .array(z.enum(ALGORITHMS, `must be one of ${ALGORITHMS.join(', ')}`))
    .min(1, 'must list at least one')
    .default(['RS256', 'ES256']),
  clockToleranceSeconds: z.number().min(0).max(300, 'must be at most 300').default(30),
  /** Absent: the first there is of preferred_username and email, else the subject. */
  nameClaim: claim.optional(),
  groupsClaim: claim.default('groups'),
  roles,
});
export type AssertionAuthSettings = z.infer<typeof assertionAuthSchema>;
