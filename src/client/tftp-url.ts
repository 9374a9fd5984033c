/** `tftp://host:port/file;mode=octet` (RFC 3617). */

import { isIPv6 } from 'node:net';
import { TFTP_PORT } from '../protocol/constants';
import { LocalError } from '../protocol/errors';
import type { TransferMode } from '../protocol/packet';

/** What a URL names. */
export interface TftpUrl {
  /** A name or an address, IPv6 without its brackets. A zone stands behind a plain `%`. */
  readonly host: string;
  /** 1 to 65535. @default 69 */
  readonly port: number;
  /** Without the slash that follows the host, percent signs decoded. */
  readonly filename: string;
  /** Present if the URL tells it. */
  readonly mode?: TransferMode;
}

/**
 * Reads a URL as RFC 3617 defines it: `tftp://host[:port]/file[;mode=octet]`, IPv6 addresses in brackets.
 * The zone of one is written `%25eth0` (RFC 6874); `%eth0` is read as well.
 *
 * @throws {LocalError} EINVAL, saying what a URL must look like.
 */
export function parseTftpUrl(url: string): TftpUrl {
  const parts = /^tftp:\/\/(?:\[([^\]]+)\]|([^/:[\]]+))(?::([0-9]{1,5}))?\/(.*)$/i.exec(url);
  if (parts === null) throw invalid(url, 'it must look like tftp://host:port/file;mode=octet');
  const [, ipv6, name, port, path] = parts;
  const [address, zone] = ipv6 === undefined ? [] : zoned(ipv6);
  if (address !== undefined && (zone === '' || !isIPv6(address))) {
    throw invalid(url, `${ipv6} is no IPv6 address`);
  }
  const number = port === undefined ? TFTP_PORT : Number(port);
  if (number < 1 || number > 65535) throw invalid(url, 'the port must be from 1 to 65535');

  const [, file = '', modeName] = /^(.*?)(?:;mode=([a-z]+))?$/is.exec(path!)!;
  const mode = modeName?.toLowerCase();
  if (mode !== undefined && mode !== 'octet' && mode !== 'netascii') {
    throw invalid(url, 'the mode must be octet or netascii');
  }
  if (file === '') throw invalid(url, 'the name of the file is missing');
  const host = name ?? (zone === undefined ? address! : `${address}%${zone}`);
  return { host, port: number, filename: decoded(file, url), ...(mode && { mode }) };
}

/** An IPv6 address and its zone. */
function zoned(text: string): [address: string, zone: string | undefined] {
  const [, address = text, zone] = /^([^%]*)%(?:25(?=.))?(.*)$/.exec(text) ?? [];
  return [address, zone];
}

function decoded(file: string, url: string): string {
  try {
    return decodeURIComponent(file);
  } catch {
    throw invalid(
      url,
      'a percent sign must be followed by two hexadecimal digits (%25 is the sign itself)',
    );
  }
}

function invalid(url: string, why: string): LocalError {
  return new LocalError('EINVAL', `${url} is no usable TFTP URL: ${why}`);
}
