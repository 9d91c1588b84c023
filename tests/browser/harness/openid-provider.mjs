// A real OpenID provider, with its own pages to log in on: any name and password will do, and the name
// says the roles.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import Provider from 'oidc-provider';

export const CLIENT = { id: 'iiif', secret: randomBytes(24).toString('base64url') };

/** What `https` sites take as handler. `policy()`: its pages' Cross-Origin-Opener-Policy, if any. */
export function openIdProvider({ issuer, redirectUri, policy }) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const provider = new Provider(issuer, {
    clients: [{ client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [redirectUri] }],
    cookies: { keys: [randomBytes(32).toString('hex')] },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'test' }] },
    pkce: { required: () => true },
    // The roles come with the scope that every login asks for; they are told at the user info endpoint.
    claims: { openid: ['sub', 'roles'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, roles: id === 'reader' ? ['reader', 'member'] : ['member'] }),
    }),
    ttl: { Interaction: 600, Session: 3600, Grant: 3600, AccessToken: 600, IdToken: 600 },
  });
  const answer = provider.callback();
  return (request, response) => {
    const value = policy();
    if (value) response.setHeader('cross-origin-opener-policy', value);
    return answer(request, response);
  };
}
