import { z } from 'zod';
import { ROLES } from '../model/role.js';

/** What members of a group may do. */
const groupRole = z.strictObject({
  group: z.string('must be the name of a group, or * for everybody').min(1).max(300),
  role: z.enum(ROLES, `must be one of ${ROLES.join(', ')}`),
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
