// In (stdin): { relyingPartyId, organisation, userId, userName, displayName, challenge, known }, bytes in base64url.
// Out (stdout): { creation, request }, the options that @simplewebauthn/server makes for them.
import { generateAuthenticationOptions, generateRegistrationOptions } from "@simplewebauthn/server";
import { text } from "node:stream/consumers";

const asked = JSON.parse(await text(process.stdin));
const bytes = (encoded) => new Uint8Array(Buffer.from(encoded, "base64url"));
const known = asked.known.map((id) => ({ id }));
const creation = await generateRegistrationOptions({
  rpName: asked.organisation,
  rpID: asked.relyingPartyId,
  userID: bytes(asked.userId),
  userName: asked.userName,
  userDisplayName: asked.displayName,
  challenge: bytes(asked.challenge),
  attestationType: "none",
  excludeCredentials: known,
  authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
  supportedAlgorithmIDs: [-7, -257],
});
const request = await generateAuthenticationOptions({
  rpID: asked.relyingPartyId,
  challenge: bytes(asked.challenge),
  allowCredentials: known,
  userVerification: "required",
});
process.stdout.write(JSON.stringify({ creation, request }));
