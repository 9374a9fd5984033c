/** What the fields of the dialogs may hold, and what they may not. */

const WRONG_NUMBERS = ['abc', '-1', '1e3', '0x10', '1,5'];
const WRONG_WHOLE_NUMBERS = [...WRONG_NUMBERS, '1.5'];
const WRONG_CLIENT_VALUES: Record<string, readonly unknown[]> = {
  host: ['tftp://192.0.2.10', 'two words', '300.1.1.1', '10.0.0.1:69', '1.2.3', 'pxe:69', '[pxe]'],
  filename: ['a\tb', 'a\u0000', 'a\u007fb'],
  port: [...WRONG_WHOLE_NUMBERS, '0', '65536'],
  blksize: [...WRONG_WHOLE_NUMBERS, '7', '65465'],
  windowsize: [...WRONG_WHOLE_NUMBERS, '0', '65536', '60000', 'automatic'],
  timeout: [...WRONG_NUMBERS, '0', '0.001', '256'],
  retries: [...WRONG_WHOLE_NUMBERS, '101'],
  concurrency: [...WRONG_WHOLE_NUMBERS, '', '0'],
  queue: [...WRONG_WHOLE_NUMBERS, ''],
  localAddress: ['localhost', '1.2.3', '1.2.3.256', '2001:db8', '1::2::3'],
  localPorts: ['0', '65536', '50100-50000', '50000-', 'any'],
  deadline: [...WRONG_NUMBERS, '2000001'],
  progressInterval: [...WRONG_WHOLE_NUMBERS, ''],
};

/** For each node and property: values that its validator must refuse. */
export const WRONG_VALUES: Record<string, Record<string, readonly unknown[]>> = {
  'tftp-get': {
    ...WRONG_CLIENT_VALUES,
    localFilename: ['a\nb'],
    maxSize: [...WRONG_NUMBERS, '0'],
    sha256: ['abc', 'g'.repeat(64), 'a'.repeat(63)],
  },
  'tftp-put': { ...WRONG_CLIENT_VALUES },
  'tftp-server': {
    root: ['', '  '],
    address: ['localhost', '300.0.0.1'],
    port: [...WRONG_WHOLE_NUMBERS, '', '0', '65536'],
    allow: [
      [],
      ['192.0.2.0/33'],
      ['2001:db8::/129'],
      ['nonsense'],
      ['192.0.2.0/24/8'],
      ['192.0.2.0/'],
    ],
    deny: [['192.0.2.0/33'], ['nonsense']],
    portRange: ['', '50000', '50100-50000', '0-5', '1-65536', 'any'],
    responseTimeout: [...WRONG_NUMBERS, '', '0', '3601'],
    readNames: ['*.cfg, !', 'SEP[0-9', '/', 'a,!'],
    writeNames: ['backup[', '!'],
    expectedNames: ['[', '*.tlv\n!'],
    refuseOptions: [
      [{ clients: [], refuse: 'all-but-tsize' }],
      [{ clients: ['nonsense'], refuse: 'all-but-tsize' }],
      [{ clients: ['192.0.2.0/24'], refuse: [] }],
      [{ clients: ['192.0.2.0/24'], refuse: ['blocksize'] }],
    ],
    quota: [...WRONG_NUMBERS, '0'],
    requestRate: [...WRONG_NUMBERS, '', '1000001'],
    guessLimit: [...WRONG_WHOLE_NUMBERS, '', '10001'],
    maxUploadSize: [...WRONG_NUMBERS, '0'],
    uploadMemory: [...WRONG_NUMBERS, '', '0.5'],
    maxTransfers: [...WRONG_WHOLE_NUMBERS, '', '0'],
    maxPerHost: [...WRONG_WHOLE_NUMBERS, '', '0'],
    blksizeMax: [...WRONG_WHOLE_NUMBERS, '7', '65465'],
    windowsizeMax: [...WRONG_WHOLE_NUMBERS, '', '0', '65536'],
    timeout: [...WRONG_NUMBERS, '', '0', '256'],
    retries: [...WRONG_WHOLE_NUMBERS, '', '101'],
    deadline: [...WRONG_NUMBERS, '', '2000001'],
    progressInterval: [...WRONG_WHOLE_NUMBERS, ''],
  },
};

/** Other settings under which a wrong value matters. */
export const OTHER_SETTINGS: Record<string, Record<string, unknown>> = {
  windowsize: { blksize: '1428' },
  allow: { access: 'list' },
  portRange: { transferPorts: 'range' },
};

/** Values that a validator must accept, of whichever node has the property. */
export const RIGHT_VALUES: Record<string, readonly unknown[]> = {
  host: ['', 'pxe.example', '192.0.2.10', '2001:db8::10', '[::1]', 'fe80::1%eth0', '${TFTP_HOST}'],
  filename: ['', 'a b.cfg', 'äöü'],
  uploadMemory: ['1', '1.5', '4096'],
  port: ['1', '69', '65535', 6969, '${TFTP_PORT}'],
  blksize: ['', '8', '65464'],
  windowsize: ['', '1', '64', 'auto'],
  timeout: ['0.01', '2.5', '255'],
  retries: ['0', '100'],
  localAddress: ['', '192.0.2.10', '::1', 'fe80::1%eth0', '::ffff:192.0.2.1'],
  address: ['', '0.0.0.0', '::'],
  localPorts: ['', '50000', '50000-50100', '50000 - 50100', '${TFTP_PORTS}'],
  sha256: ['', 'aB'.repeat(32)],
  deadline: ['0', '0.5'],
  root: ['/srv/tftp', '${TFTP_ROOT}'],
  deny: [[], ['192.0.2.10', '2001:db8::/32']],
  portRange: ['50000-50100', '50000 - 50000', '${TFTP_PORTS}'],
  responseTimeout: ['0.5', '3600'],
  readNames: ['', '*.cfg, firmware/**\n!secret/**', '[[]x', '[]a]*', '/boot/*', '*.cfg, *.bin'],
  refuseOptions: [
    [],
    [
      { clients: ['192.0.2.0/24', '::1'], refuse: 'all-but-tsize' },
      { clients: ['192.0.2.7'], refuse: ['windowsize', 'blksize'] },
    ],
  ],
  quota: ['', '0.5', '100000'],
  requestRate: ['0', '2.5'],
  guessLimit: ['0', '1000'],
  allow: [['192.0.2.10'], ['192.0.2.0/24', '2001:db8::/32', '::1']],
};
