type Phone = { kid: string; push: unknown; device: string; removed?: boolean; passkey?: { credentialId: string; jwk: JsonWebKey } };
type Asked = { id: string; kid: string; number: string; outcome: string | null; evidence: unknown };
export const csp: string;
export function mock(options?: {
  now?: () => number; unlock?: ('passkey' | 'pin')[]; digits?: number; lifetime?: number; seed?: Uint8Array; dist?: URL | null;
}): {
  origin: string; now(): number; log: string[]; phones: Map<string, Phone>; reports: unknown[];
  listen(port: number): Promise<string>; close(): void; code(): string;
  newCode(age?: number): { long: string; short: string; picture: string };
  ask(kid: string, number: string, more?: object): Asked;
};
