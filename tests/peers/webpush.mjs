// Second opinions on src/Portvakt.WebPush: http_ece decrypts what we encrypted, jws checks the token we signed, and web-push
// sends the same messages itself, so that both requests can be laid side by side.
// In (stdin): { vapid: { publicKey, privateKey, subject }, messages: [{ subscription, privateKey, text, ttl, urgency, topic, body, authorization }] }
// Out (stdout): one answer per message. Bytes are base64url; private keys of browsers are PKCS #8.
import { createECDH, createPrivateKey, createPublicKey } from "node:crypto";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import ece from "http_ece";
import webpush from "web-push";

const jws = createRequire(createRequire(import.meta.url).resolve("web-push"))("jws");

const input = JSON.parse(await text(process.stdin));
const bytes = value => Buffer.from(value, "base64url");

function decrypt({ body, privateKey, subscription }) {
  const ecdh = createECDH("prime256v1");
  const jwk = createPrivateKey({ key: bytes(privateKey), format: "der", type: "pkcs8" }).export({ format: "jwk" });
  ecdh.setPrivateKey(bytes(jwk.d));
  return ece.decrypt(bytes(body), { version: "aes128gcm", privateKey: ecdh, authSecret: subscription.keys.auth }).toString("utf8");
}

function readToken(authorization) {
  const [, token, key] = /^vapid t=([^,]+), k=([A-Za-z0-9_-]+)$/.exec(authorization);
  const point = bytes(key);
  const publicKey = createPublicKey({
    format: "jwk",
    key: { kty: "EC", crv: "P-256", x: point.subarray(1, 33).toString("base64url"), y: point.subarray(33).toString("base64url") },
  });
  const { header, payload } = jws.decode(token, { json: true });
  return { valid: jws.verify(token, "ES256", publicKey.export({ format: "pem", type: "spki" })), header, claims: payload, key };
}

function sendAsPeer({ subscription, text, ttl, urgency, topic }) {
  // Without text web-push would send no payload at all; an empty buffer is one.
  const { method, headers, body } = webpush.generateRequestDetails(subscription, Buffer.from(text), {
    vapidDetails: input.vapid, TTL: ttl, urgency, topic, contentEncoding: "aes128gcm",
  });
  return { method, headers, body: body.toString("base64url"), token: readToken(headers.Authorization) };
}

process.stdout.write(JSON.stringify(input.messages.map(message => ({
  decrypted: decrypt(message),
  token: readToken(message.authorization),
  peer: sendAsPeer(message),
}))));
