// A relying party by somebody else: openid-client takes the provider through discovery, code flow with PKCE, userinfo, refresh and sign-out.
// Reads { issuer, clientId, clientSecret, redirectUri, signedOutUri, signIn } from its input; signIn is what plays the sign-in pages.
import * as oidc from 'openid-client';

const ask = JSON.parse(await new Response(process.stdin).text());

const config = await oidc.discovery(new URL(ask.issuer), ask.clientId, { require_auth_time: true }, oidc.ClientSecretBasic(ask.clientSecret), { execute: [oidc.allowInsecureRequests] });
oidc.enableNonRepudiationChecks(config); // verifies the ID token's signature with the published keys

const verifier = oidc.randomPKCECodeVerifier();
const state = oidc.randomState();
const nonce = oidc.randomNonce();
const authorize = oidc.buildAuthorizationUrl(config, {
  redirect_uri: ask.redirectUri,
  scope: 'openid profile email offline_access',
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  acr_values: 'urn:portvakt:aal2',
  max_age: '300',
  state,
  nonce,
});

// A browser: it keeps cookies and goes where it is sent, until that is the application.
const cookies = new Map();
async function go(address, method = 'GET') {
  const response = await fetch(address, { method, redirect: 'manual', headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') } });
  for (const cookie of response.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
    if (value) cookies.set(name, value);
    else cookies.delete(name);
  }
  return { status: response.status, location: response.headers.get('location') && new URL(response.headers.get('location'), address) };
}

const page = await go(authorize);
const attempt = page.location.pathname.split('/').at(-1);
const signedIn = await go(new URL(ask.signIn.replace('{attempt}', attempt), ask.issuer), 'POST');
const answer = await go(signedIn.location);

const tokens = await oidc.authorizationCodeGrant(config, answer.location, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, maxAge: 300, idTokenExpected: true });
const claims = tokens.claims();
const userInfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
const reused = await oidc.refreshTokenGrant(config, tokens.refresh_token).then(() => 'accepted', (problem) => problem.error);
const end = await go(oidc.buildEndSessionUrl(config, { id_token_hint: refreshed.id_token, post_logout_redirect_uri: ask.signedOutUri, state: 'bye' }));
const gone = await oidc.fetchUserInfo(config, refreshed.access_token, claims.sub).then(() => 200, (problem) => problem.cause?.status ?? problem.status ?? String(problem));

console.log(JSON.stringify({ claims, userInfo, refreshedClaims: refreshed.claims(), reused, end: end.location, gone }));
