// In (stdin): [{ kind, response, challenge, origins, relyingPartyId, requireUserVerification, credential }], bytes in base64url.
// Out (stdout): [{ verified, reason }], one verdict per ceremony, by @simplewebauthn/server.
import { verifyAuthenticationResponse, verifyRegistrationResponse } from "@simplewebauthn/server";
import { text } from "node:stream/consumers";

const judge = async ({ kind, response, challenge, origins, relyingPartyId, requireUserVerification, credential }) => {
  const expected = {
    response,
    expectedChallenge: challenge,
    expectedOrigin: origins,
    expectedRPID: relyingPartyId,
    requireUserVerification,
  };
  try {
    if (kind === "registration") {
      const { verified } = await verifyRegistrationResponse(expected);
      return { verified, reason: "" };
    }
    const { verified } = await verifyAuthenticationResponse({
      ...expected,
      credential: {
        id: credential.id,
        publicKey: new Uint8Array(Buffer.from(credential.publicKey, "base64url")),
        counter: credential.counter,
      },
    });
    return { verified, reason: verified ? "" : "the signature does not verify" };
  } catch (error) {
    return { verified: false, reason: error.message };
  }
};

const verdicts = [];
for (const ceremony of JSON.parse(await text(process.stdin))) verdicts.push(await judge(ceremony));
process.stdout.write(JSON.stringify(verdicts));
