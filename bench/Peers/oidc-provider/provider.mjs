// oidc-provider as its documentation begins: its own in-memory store, interactions that sign in whoever comes. Started by `bench peers`: PORT SECRET.
// Changed from its defaults, so that it does the same work as the others: ES256 with one key, JWT access tokens, a refresh token replaced at each use
// (its default replaces a confidential client's only late in its life), and the others' paths.
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [port, secret] = process.argv.slice(2);
const api = 'urn:api';
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const client = { client_secret: secret, token_endpoint_auth_method: 'client_secret_post', id_token_signed_response_alg: 'ES256' };

const provider = new Provider(`http://localhost:${port}`, {
  clients: [
    { ...client, client_id: 'application', redirect_uris: ['https://application.example.no/signin-oidc'], response_types: ['code'], grant_types: ['authorization_code', 'refresh_token'] },
    { ...client, client_id: 'job', redirect_uris: [], response_types: [], grant_types: ['client_credentials'] },
  ],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'ES256', use: 'sig' }] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  claims: { openid: ['sub'], profile: ['name'] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: 'Kari Nordmann' }) }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => api,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: 'api', audience: api, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
    },
  },
  interactions: { url: (_, interaction) => `/session/${interaction.uid}` },
  rotateRefreshToken: true,
  routes: { authorization: '/connect/authorize', token: '/connect/token', jwks: '/.well-known/jwks.json' },
});

const answer = provider.callback();
createServer(async (request, response) => {
  if (!request.url.startsWith('/session/')) return answer(request, response);
  try {
    const { params } = await provider.interactionDetails(request, response);
    const accountId = randomUUID();
    const grant = new provider.Grant({ accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    grant.addResourceScope(api, 'api');
    await provider.interactionFinished(request, response, { login: { accountId }, consent: { grantId: await grant.save() } });
  } catch (problem) {
    response.writeHead(500).end(String(problem));
  }
}).listen(Number(port), 'localhost');
