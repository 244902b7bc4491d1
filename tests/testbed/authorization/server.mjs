// The testbed's authorization server: oidc-provider behind Microsoft's paths and a plain one, and an admin listener in clear.
//
//   node server.mjs CONFIG      CONFIG is JSON: address, adminPort, names, tenant, certificate, key, signingKey, client
import { AsyncLocalStorage } from 'node:async_hooks';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { Provider, errors } from 'oidc-provider';

const config = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const audience = 'https://outlook.office365.com';
const issuer = `https://login.microsoftonline.com/${config.tenant}/v2.0`;
const microsoftPath = `/${config.tenant}/oauth2/v2.0/token`;

// What the admin listener changes.
const settings = { lifetime: 3600 };
const clients = new Map();
const calls = [];
// Which call the code that is running belongs to.
const current = new AsyncLocalStorage();

function metadata(id) {
  const client = clients.get(id);
  if (!client) return undefined;
  const call = current.getStore();
  const wanted = client.authentication === 'any' ? call?.authentication ?? 'post' : client.authentication;
  return {
    client_id: id,
    client_secret: client.secret,
    client_secret_expires_at: client.secretExpired ? 1 : 0,
    token_endpoint_auth_method: `client_secret_${wanted}`,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
  };
}

// oidc-provider's storage: clients are ours, and nothing else has to be kept for this grant.
class Adapter {
  constructor(kind) { this.kind = kind; }
  async find(id) { return this.kind === 'Client' ? metadata(id) : undefined; }
  async upsert() {}
  async consume() {}
  async destroy() {}
  async revokeByGrantId() {}
}

const provider = new Provider(issuer, {
  adapter: Adapter,
  jwks: { keys: [{ ...crypto.createPrivateKey(fs.readFileSync(config.signingKey)).export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'k1' }] },
  cookies: { keys: [crypto.randomUUID()] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: async () => true,
      defaultResource: async () => audience,
      getResourceServerInfo: async (ctx, id, client) => {
        if (id !== audience) throw new errors.InvalidTarget();
        return {
          scope: `${audience}/.default smtp`,
          audience,
          accessTokenTTL: clients.get(client.clientId)?.lifetime ?? settings.lifetime,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        };
      },
    },
  },
  extraTokenClaims: async (ctx, token) => {
    const client = clients.get(token.clientId);
    // About as long as Microsoft's own tokens.
    return { appid: token.clientId, tid: config.tenant, roles: client.roles, domain: client.domain, xms_pad: 'x'.repeat(900) };
  },
  // Microsoft's `typ`; Dovecot takes no other.
  formats: { customizers: { jwt: async (ctx, token, jwt) => { jwt.header = { ...jwt.header, typ: 'JWT' }; } } },
  routes: { token: microsoftPath },
  pkce: { required: () => false },
});
provider.proxy = true;

// Microsoft's words for what oidc-provider says shorter.
function inMicrosoftsForm(body, client) {
  const [error, code, words] = !clients.has(client)
    ? ['unauthorized_client', 700016, `Application with identifier '${client}' was not found in the directory.`]
    : clients.get(client).secretExpired
      ? ['invalid_client', 7000222, 'The provided client secret keys for app are expired.']
      : ['invalid_client', 7000215, 'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.'];
  return {
    error: body.error === 'invalid_client' ? error : body.error,
    error_description: body.error === 'invalid_client' ? `AADSTS${code}: ${words}` : body.error_description,
    error_codes: body.error === 'invalid_client' ? [code] : [],
    timestamp: new Date().toISOString(),
    trace_id: crypto.randomUUID(),
    correlation_id: crypto.randomUUID(),
  };
}

provider.use(async (ctx, next) => {
  await next();
  const call = current.getStore();
  if (!call || !ctx.body) return;
  const client = ctx.oidc?.body?.client_id ?? basicUser(ctx.get('authorization'));
  call.client = client;
  if (ctx.body.access_token) {
    const claims = JSON.parse(Buffer.from(ctx.body.access_token.split('.')[1], 'base64url'));
    call.jti = claims.jti;
    call.expires = claims.exp;
    if (call.form === 'microsoft') ctx.body.ext_expires_in = ctx.body.expires_in;
  } else {
    if (call.form === 'microsoft') {
      const unknown = ctx.body.error === 'invalid_client' && !clients.has(client);
      ctx.body = inMicrosoftsForm(ctx.body, client);
      if (unknown) ctx.status = 400;
    }
    call.error = ctx.body.error;
  }
  call.status = ctx.status;
});

function basicUser(header) {
  if (!/^basic /i.test(header)) return '';
  const [user] = Buffer.from(header.slice(6), 'base64').toString().split(':');
  try { return decodeURIComponent(user.replace(/\+/g, ' ')); } catch { return user; }
}

const callback = provider.callback();

function serve(request, response) {
  const path = new URL(request.url, issuer).pathname;
  const form = path === '/token' ? 'generic' : 'microsoft';
  const tenant = /^\/([^/]+)\/oauth2\/v2\.0\/token$/.exec(path)?.[1];
  const known = path === '/token' || tenant === config.tenant || tenant === 'contoso.onmicrosoft.com';
  const call = {
    number: calls.length + 1,
    time: new Date().toISOString(),
    form,
    client: '',
    authentication: request.headers.authorization ? 'basic' : 'post',
    status: 0,
    error: '',
  };
  if (path === '/token' || tenant) {
    calls.push(call);
    response.on('finish', () => { call.status = response.statusCode; });
  }
  if (!known) {
    call.error = 'invalid_request';
    response.writeHead(400, { 'content-type': 'application/json' });
    return response.end(JSON.stringify({
      error: 'invalid_request',
      error_description: `AADSTS90002: Tenant '${tenant}' not found.`,
      error_codes: [90002],
    }));
  }
  request.url = microsoftPath;
  return current.run(call, () => callback(request, response));
}

function put(id, change) {
  const before = clients.get(id) ?? { authentication: 'any', domain: 'contoso.test', roles: ['SMTP.SendAsApp'], secretExpired: false };
  clients.set(id, { ...before, ...change });
}

function admin(request, response) {
  const url = new URL(request.url, 'http://admin');
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = chunks.length ? JSON.parse(Buffer.concat(chunks)) : {};
    const id = /^\/clients\/(.+)$/.exec(url.pathname)?.[1];
    const what = `${request.method} ${id ? '/clients/ID' : url.pathname}`;
    const actions = {
      'PUT /clients/ID': () => { put(decodeURIComponent(id), body); return {}; },
      'GET /clients/ID': () => clients.get(decodeURIComponent(id)),
      'DELETE /clients/ID': () => { clients.delete(decodeURIComponent(id)); return {}; },
      'PUT /settings': () => Object.assign(settings, body),
      'GET /calls': () => calls.filter((call) => call.number > Number(url.searchParams.get('after') ?? 0)),
    };
    const answer = actions[what]?.();
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { error: `nothing is known of ${what}` }));
  });
}

put(config.client.id, { secret: config.client.secret });
const tls = { key: fs.readFileSync(config.key), cert: fs.readFileSync(config.certificate) };
https.createServer(tls, serve).listen(443, config.address, () => {
  http.createServer(admin).listen(config.adminPort, config.address, () => console.log('ready'));
});
