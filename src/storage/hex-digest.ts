/** Short digests, for names of files. */

const OFFSET = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

/** 16 hexadecimal digits that are the same for the same text (FNV-1a, 64 bits). Not against intent. */
export function hexDigest(text: string): string {
  let digest = OFFSET;
  for (const byte of Buffer.from(text))
    digest = BigInt.asUintN(64, (digest ^ BigInt(byte)) * PRIME);
  return digest.toString(16).padStart(16, '0');
}
