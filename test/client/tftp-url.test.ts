import should = require('should');
import { parseTftpUrl } from '../../src/client/tftp-url';

describe('parseTftpUrl', () => {
  for (const [url, expected] of [
    ['tftp://example.com/file', { host: 'example.com', port: 69, filename: 'file' }],
    ['TFTP://Example.com:6969/a/b', { host: 'Example.com', port: 6969, filename: 'a/b' }],
    [
      'tftp://192.0.2.1/f;mode=octet',
      { host: '192.0.2.1', port: 69, filename: 'f', mode: 'octet' },
    ],
    ['tftp://h/f;mode=NetASCII', { host: 'h', port: 69, filename: 'f', mode: 'netascii' }],
    ['tftp://[2001:db8::1]/f', { host: '2001:db8::1', port: 69, filename: 'f' }],
    ['tftp://[::1]:7000/f', { host: '::1', port: 7000, filename: 'f' }],
    ['tftp://h//etc/f', { host: 'h', port: 69, filename: '/etc/f' }],
    ['tftp://h/a%20b%C3%A9', { host: 'h', port: 69, filename: 'a bé' }],
    ['tftp://h/a;b', { host: 'h', port: 69, filename: 'a;b' }],
    ['tftp://h/a?b#c', { host: 'h', port: 69, filename: 'a?b#c' }],
    ['tftp://[fe80::1%25eth0]/f', { host: 'fe80::1%eth0', port: 69, filename: 'f' }],
    ['tftp://[FE80::1%eth0]:70/f', { host: 'FE80::1%eth0', port: 70, filename: 'f' }],
    ['tftp://[fe80::1%253]/f', { host: 'fe80::1%3', port: 69, filename: 'f' }],
    ['tftp://[fe80::1%3]/f', { host: 'fe80::1%3', port: 69, filename: 'f' }],
    ['tftp://[fe80::1%25br_lan.7]/f', { host: 'fe80::1%br_lan.7', port: 69, filename: 'f' }],
    ['tftp://h:65535/f', { host: 'h', port: 65535, filename: 'f' }],
  ] as const) {
    it(`reads ${url}`, () => {
      should(parseTftpUrl(url)).eql(expected);
    });
  }

  for (const [url, why] of [
    ['', /must look like tftp:/],
    ['http://h/f', /must look like tftp:/],
    ['tftp://h', /must look like tftp:/],
    ['tftp:///f', /must look like tftp:/],
    ['tftp://h/', /name of the file is missing/],
    ['tftp://h/;mode=octet', /name of the file is missing/],
    ['tftp://h/f;mode=mail', /mode must be octet or netascii/],
    ['tftp://h:0/f', /port must be from 1 to 65535/],
    ['tftp://h:65536/f', /port must be from 1 to 65535/],
    ['tftp://h:x/f', /must look like tftp:/],
    ['tftp://::1/f', /must look like tftp:/],
    ['tftp://[nonsense]/f', /nonsense is no IPv6 address/],
    ['tftp://[fe80::1%]/f', /fe80::1% is no IPv6 address/],
    ['tftp://[nonsense%25eth0]/f', /nonsense%25eth0 is no IPv6 address/],
    ['tftp://h/100%', /percent sign/],
    ['tftp://h/%FF', /percent sign/],
  ] as const) {
    it(`refuses '${url}'`, () => {
      should(() => parseTftpUrl(url)).throw(why, { code: 'EINVAL', name: 'LocalError' });
    });
  }
});
