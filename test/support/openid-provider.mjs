// An OpenID Connect provider with real tokens, as a process of its own: started by openid-provider.ts with its plan as JSON.
// Any name may sign in; what it says of them comes by IPC.
import process from 'node:process';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const { port, clientSecret, consoleUrl } = JSON.parse(process.argv[2] ?? '{}');
const issuer = `http://127.0.0.1:${port}`;
/** Groups by name; null: nobody any more. */
let people = {};
process.on('message', (told) => {
  people = told;
  process.send?.('heard');
});
process.on('disconnect', () => process.exit(0));

const { privateKey } = await generateKeyPair('RS256', { extractable: true });
const provider = new Provider(issuer, {
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: String(port) }] },
  cookies: { keys: ['only for tests'] },
  clients: [
    {
      client_id: 'spillway',
      client_secret: clientSecret,
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [`${consoleUrl}/sign-in/openid/callback`],
      post_logout_redirect_uris: [`${consoleUrl}/sign-in`],
    },
  ],
  claims: { openid: ['sub'], profile: ['preferred_username', 'realm'] },
  pkce: { required: () => true },
  issueRefreshToken: () => true,
  findAccount: (_, id) =>
    people[id] === null
      ? undefined
      : {
          accountId: id,
          claims: () => ({ sub: id, preferred_username: id, realm: { groups: people[id] ?? [] } }),
        },
  // Nobody is asked for their consent.
  async loadExistingGrant({ oidc }) {
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope('openid profile');
    await grant.save();
    return grant;
  },
});
provider.listen(port, '127.0.0.1', () => process.send?.('listening'));
