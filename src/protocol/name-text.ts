/**
 * File names: bytes on the wire and on the disk, text in between.
 *
 * A name in UTF-8 is its text. A byte that is not UTF-8 becomes one half of a surrogate pair, U+DC00
 * plus the byte (PEP 383): FF is U+DCFF. No UTF-8 decodes to that, so the bytes can be had back, and
 * names that differ in a byte differ as text.
 */

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const utf8 = new TextEncoder();

const RAW = /[\udc80-\udcff]/u;
const RAW_OFFSET = 0xdc00;

/** What `shownName` writes for a byte, also where a name holds that text itself. */
const LOOKS_RAW = /<[89A-F][0-9A-F]>/;

/** The text of a name. `nameBytes` gives exactly these bytes back. */
export function nameText(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return mixedText(bytes);
  }
}

/** The bytes of a name: UTF-8, and the bytes that are not. */
export function nameBytes(text: string): Uint8Array {
  if (!hasRawBytes(text)) return utf8.encode(text);
  const bytes = Array.from(text, (c) =>
    RAW.test(c) ? [c.charCodeAt(0) - RAW_OFFSET] : [...utf8.encode(c)],
  );
  return Uint8Array.from(bytes.flat());
}

/** True for a name with bytes that are not UTF-8. */
export function hasRawBytes(text: string): boolean {
  return RAW.test(text);
}

/**
 * A name for people, logs and messages: a byte that is not UTF-8 is its two hexadecimal digits, as
 * in `netboot.kpxe<FF>`. Names that differ are shown differently: in a name with such a byte, or with
 * text that looks like one, `<` is `<<`.
 */
export function shownName(text: string): string {
  if (!hasRawBytes(text) && !LOOKS_RAW.test(text)) return text;
  return Array.from(text, (c) => {
    if (c === '<') return '<<';
    return RAW.test(c) ? `<${hex(c.charCodeAt(0) - RAW_OFFSET)}>` : c;
  }).join('');
}

function hex(byte: number): string {
  return byte.toString(16).toUpperCase();
}

function mixedText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    text +=
      length === 0
        ? String.fromCharCode(RAW_OFFSET + bytes[at]!)
        : strictUtf8.decode(bytes.subarray(at, at + length));
    at += length || 1;
  }
  return text;
}

/** The bytes of the UTF-8 sequence at this place (RFC 3629 section 4); 0 if there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const length = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const [low, high] = secondByte(first);
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i] ?? 0;
    if (byte < (i === 1 ? low : 0x80) || byte > (i === 1 ? high : 0xbf)) return 0;
  }
  return length;
}

/** Overlong forms, surrogates and what is beyond U+10FFFF are not UTF-8. */
function secondByte(first: number): readonly [low: number, high: number] {
  switch (first) {
    case 0xe0:
      return [0xa0, 0xbf];
    case 0xed:
      return [0x80, 0x9f];
    case 0xf0:
      return [0x90, 0xbf];
    case 0xf4:
      return [0x80, 0x8f];
    default:
      return [0x80, 0xbf];
  }
}
