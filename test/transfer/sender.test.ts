import should = require('should');
import { FlightRecorder } from '../../src/transfer/flight-recorder';
import type { Sender } from '../../src/transfer/sender';
import {
  POLICY,
  clientPut,
  datagram,
  datagramsOf,
  drain,
  play,
  serverRead,
} from '../helpers/script';
import type { Row } from '../helpers/script';
import { decodeTransferPacket } from '../../src/protocol/decode';

const NEVER = undefined;
const NO_ANSWER = 'failed TimeoutError ETIMEDOUT: The peer did not answer';
const UNCERTAIN = 'The last block was not acknowledged: the file may or may not be on the server';

/** Blocks of eight bytes, a letter each, and what stands behind them: `blocks('ab', 'c')` is aaaaaaaabbbbbbbbc. */
const blocks = (letters: string, rest = '') =>
  Array.from(letters, (letter) => letter.repeat(8)).join('') + rest;

/** A server that sends three blocks in lock-step; DATA 1 is out. */
const LOCKSTEP: readonly Row[] = [
  [0, 'start', ['-> OACK blksize=8'], 1_000],
  [10, '<- ACK 0', ['negotiated blksize=8', 'need-data'], NEVER],
  [10, `push ${blocks('ab', 'cc')}`, ['-> DATA 1 a*8'], 1_010],
  [10, 'end', [], 1_010],
];

/** A server that sends eight blocks in windows of four; the first window is out. */
const WINDOWS: readonly Row[] = [
  [0, 'start', ['-> OACK blksize=8 windowsize=4'], 1_000],
  [10, '<- ACK 0', ['negotiated blksize=8 windowsize=4', 'need-data'], NEVER],
  [
    10,
    `push ${blocks('abcdefg', 'hh')}`,
    ['-> DATA 1 a*8', '-> DATA 2 b*8', '-> DATA 3 c*8', '-> DATA 4 d*8', 'need-data'],
    1_010,
  ],
  [10, 'end', [], 1_010],
];

const FIRST_WINDOW = ['-> DATA 1 a*8', '-> DATA 2 b*8', '-> DATA 3 c*8', '-> DATA 4 d*8'];
const SECOND_WINDOW = ['-> DATA 5 e*8', '-> DATA 6 f*8', '-> DATA 7 g*8', '-> DATA 8 h*2'];

/** The second window is out as well. */
const SECOND: readonly Row[] = [...WINDOWS, [20, '<- ACK 4', SECOND_WINDOW, 1_020]];

describe('Sender as a server', () => {
  it('sends DATA 1 at once where no option was asked', () => {
    const sender = serverRead();
    play(sender, [
      [0, 'start', ['negotiated', 'need-data'], NEVER],
      [5, 'push a*512', ['-> DATA 1 a*512', 'need-data'], 1_005],
      [6, 'push b*10', ['need-data'], 1_005],
      [7, 'end', [], 1_005],
      [10, '<- ACK 1', ['-> DATA 2 b*10'], 1_010],
      [20, '<- ACK 2', ['done'], NEVER],
    ]);
    should(sender.stats).deepEqual({ bytes: 522, retransmits: 0, duplicates: 0, stalls: 0 });
    should(sender.finished).be.true();
  });

  it('sends an OACK, waits for ACK 0, and then goes in lock-step', () => {
    play(serverRead('blksize=8'), [
      ...LOCKSTEP,
      [20, '<- ACK 1', ['-> DATA 2 b*8'], 1_020],
      [30, '<- ACK 2', ['-> DATA 3 c*2'], 1_030],
      [40, '<- ACK 3', ['done'], NEVER],
    ]);
  });

  it('repeats a lost OACK; a lost ACK 0 looks the same', () => {
    const sender = serverRead('blksize=8');
    play(sender, [
      [0, 'start', ['-> OACK blksize=8'], 1_000],
      [1_000, 'timeout', ['-> OACK blksize=8', 'retry 1/3'], 3_000], // 1 s, then 2 s
      [3_000, 'timeout', ['-> OACK blksize=8', 'retry 2/3'], 7_000], // then 4 s
      [3_010, '<- ACK 0', ['negotiated blksize=8', 'need-data'], NEVER],
      [3_010, 'push a*8', ['-> DATA 1 a*8', 'need-data'], 4_010], // the back-off starts anew
    ]);
    should(sender.stats.retransmits).equal(2);
  });

  it('sends its OACK at most three times to a silent client, and then says nothing', () => {
    play(serverRead('blksize=8'), [
      [0, 'start', ['-> OACK blksize=8'], 1_000],
      [1_000, 'timeout', ['-> OACK blksize=8', 'retry 1/3'], 3_000],
      [3_000, 'timeout', ['-> OACK blksize=8', 'retry 2/3'], 7_000],
      [7_000, 'timeout', [], 15_000], // it listens on
      [15_000, 'timeout', [NO_ANSWER], NEVER],
    ]);
  });

  it('sends DATA 1 at most three times to a silent client, and then says nothing', () => {
    play(serverRead(), [
      [0, 'start', ['negotiated', 'need-data'], NEVER],
      [0, 'push a*512', ['-> DATA 1 a*512', 'need-data'], 1_000],
      [0, 'push b*512', [], 1_000],
      [1_000, 'timeout', ['-> DATA 1 a*512', 'retry 1/3'], 3_000],
      [3_000, 'timeout', ['-> DATA 1 a*512', 'retry 2/3'], 7_000],
      [7_000, 'timeout', [], 15_000], // it listens on
      [15_000, 'timeout', [NO_ANSWER], NEVER],
    ]);
  });

  it('repeats DATA 1 for a repeated request, within the same bound of three', () => {
    play(serverRead(), [
      [0, 'start', ['negotiated', 'need-data'], NEVER],
      [0, 'push a*512', ['-> DATA 1 a*512', 'need-data'], 1_000],
      [100, 'repeat', ['-> DATA 1 a*512'], 1_100],
      [200, 'repeat', ['-> DATA 1 a*512'], 1_200],
      [300, 'repeat', [], 1_200],
      [1_200, 'timeout', [], 15_000],
      [1_300, 'repeat', [], 15_000],
      [14_000, '<- ACK 1', [], NEVER],
    ]);
  });

  it('repeats the OACK for a repeated request, until the client has answered', () => {
    play(serverRead('blksize=8'), [
      [0, 'start', ['-> OACK blksize=8'], 1_000],
      [100, 'repeat', ['-> OACK blksize=8'], 1_100],
      [200, '<- ACK 0', ['negotiated blksize=8', 'need-data'], NEVER],
      [300, 'repeat', [], NEVER],
    ]);
  });

  it('waits for ACK 0 alone', () => {
    const sender = serverRead('blksize=8');
    play(sender, [
      [0, 'start', ['-> OACK blksize=8'], 1_000],
      [1, '<- ACK 1', [], 1_000],
      [2, '<- DATA 1 x', [], 1_000],
      [3, '<- OACK blksize=8', [], 1_000],
    ]);
    should(sender.stats.duplicates).equal(3);
  });

  it('draws one window and then single blocks for a forged ACK 0', () => {
    play(serverRead('blksize=8 windowsize=4'), [
      ...WINDOWS,
      [1_010, 'timeout', ['-> DATA 1 a*8', 'retry 1/3'], 3_010],
      [3_010, 'timeout', ['-> DATA 1 a*8', 'retry 2/3'], 7_010],
      [7_010, 'timeout', ['-> DATA 1 a*8', 'retry 3/3'], 15_010],
      [
        15_010,
        'timeout',
        [
          '-> ERROR 0 The peer fell silent after 0 bytes',
          'failed TimeoutError ETIMEDOUT: The peer fell silent after 0 bytes',
        ],
        NEVER,
      ],
    ]);
  });

  it('starts once', () => {
    play(serverRead('blksize=8'), [
      [0, 'start', ['-> OACK blksize=8'], 1_000],
      [1, 'start', [], 1_000],
    ]);
    play(serverRead(), [
      [0, 'start', ['negotiated', 'need-data'], NEVER],
      [1, 'start', [], NEVER],
    ]);
  });
});

describe('Sender as a client', () => {
  it('begins after an OACK', () => {
    play(clientPut('blksize=8 windowsize=4'), [
      [0, 'start', ['-> WRQ f octet blksize=8 windowsize=4'], 1_000],
      [
        10,
        '<- OACK blksize=8 windowsize=2',
        ['negotiated blksize=8 windowsize=2', 'need-data'],
        NEVER,
      ],
      [20, `push ${blocks('abc')}`, ['-> DATA 1 a*8', '-> DATA 2 b*8', 'need-data'], 1_020],
      [20, 'end', [], 1_020],
      [30, '<- ACK 2', ['-> DATA 3 c*8', '-> DATA 4'], 1_030],
      [40, '<- ACK 4', ['done'], NEVER],
    ]);
  });

  it('takes ACK 0 as "options ignored"', () => {
    play(clientPut('blksize=8'), [
      [0, 'start', ['-> WRQ f octet blksize=8'], 1_000],
      [10, '<- ACK 0', ['negotiated', 'need-data'], NEVER],
      [10, 'end', ['-> DATA 1'], 1_010],
      [20, '<- ACK 1', ['done'], NEVER],
    ]);
  });

  it('repeats a lost request, and gives up after all retries without a word', () => {
    const sender = clientPut('blksize=8');
    play(sender, [
      [0, 'start', ['-> WRQ f octet blksize=8'], 1_000],
      [1_000, 'timeout', ['-> WRQ f octet blksize=8', 'retry 1/3'], 3_000],
      [3_000, 'timeout', ['-> WRQ f octet', 'retry 2/3'], 7_000], // half of them without options
      [7_000, 'timeout', ['-> WRQ f octet', 'retry 3/3'], 15_000],
      // 1 + 2 + 4 + 8 s
      [15_000, 'timeout', [`${NO_ANSWER}, with options or without`], NEVER],
    ]);
    should(sender.stats.retransmits).equal(3);
  });

  it('goes on where the OACK or ACK 0 came late', () => {
    play(clientPut(), [
      [0, 'start', ['-> WRQ f octet'], 1_000],
      [1_000, 'timeout', ['-> WRQ f octet', 'retry 1/3'], 3_000],
      [1_010, '<- ACK 0', ['negotiated', 'need-data'], NEVER],
      [1_011, '<- ACK 0', [], NEVER], // the answer to the repeated request
      [1_012, 'push a*512', ['-> DATA 1 a*512', 'need-data'], 2_012],
    ]);
  });

  it('tolerates a repeated OACK', () => {
    const sender = clientPut('blksize=8');
    play(sender, [
      [0, 'start', ['-> WRQ f octet blksize=8'], 1_000],
      [10, '<- OACK blksize=8', ['negotiated blksize=8', 'need-data'], NEVER],
      [20, 'push a*8', ['-> DATA 1 a*8', 'need-data'], 1_020],
      [30, '<- OACK blksize=8', [], 1_020],
      [1_020, 'timeout', ['-> DATA 1 a*8', 'retry 1/3'], 3_020],
    ]);
    should(sender.stats.duplicates).equal(1);
  });

  it('waits for ACK 0 or OACK alone', () => {
    play(clientPut('blksize=8'), [
      [0, 'start', ['-> WRQ f octet blksize=8'], 1_000],
      [1, '<- ACK 1', [], 1_000],
      [2, '<- DATA 1 x', [], 1_000],
      [2, '<- DATA 0 x', [], 1_000],
    ]);
  });

  it('refuses an OACK with more than it asked', () => {
    const message = 'The server granted blksize=9 where 8 was asked';
    play(clientPut('blksize=8'), [
      [0, 'start', ['-> WRQ f octet blksize=8'], 1_000],
      [
        10,
        '<- OACK blksize=9',
        [`-> ERROR 8 ${message}`, `failed ProtocolError EOPTNEG: ${message}`],
        NEVER,
      ],
    ]);
  });

  it('asks once more without options when it is told ERROR 8', () => {
    play(clientPut('blksize=8'), [
      [0, 'start', ['-> WRQ f octet blksize=8'], 1_000],
      [1_000, 'timeout', ['-> WRQ f octet blksize=8', 'retry 1/3'], 3_000],
      [1_010, '<- ERROR 8 no options', ['-> WRQ f octet'], 2_010],
      [2_010, 'timeout', ['-> WRQ f octet', 'retry 1/3'], 4_010],
      [
        4_000,
        '<- ERROR 8 no',
        ['failed PeerError EOPTNEG: no (asked again without options after ERROR 8 "no options")'],
        NEVER,
      ],
    ]);
  });

  /** A put of three blocks; DATA 3, the last, is out. */
  const LAST_OUT: readonly Row[] = [
    [0, 'start', ['-> WRQ f octet blksize=8'], 1_000],
    [10, '<- OACK blksize=8', ['negotiated blksize=8', 'need-data'], NEVER],
    [10, `push ${blocks('ab', 'cc')}`, ['-> DATA 1 a*8'], 1_010],
    [10, 'end', [], 1_010],
    [20, '<- ACK 1', ['-> DATA 2 b*8'], 1_020],
    [30, '<- ACK 2', ['-> DATA 3 c*2'], 1_030],
  ];

  it('has failed without the last ACK, and says that the file may be there', () => {
    const recorder = new FlightRecorder();
    const sender = clientPut('blksize=8', POLICY, recorder);
    play(sender, [
      ...LAST_OUT,
      [1_030, 'timeout', ['-> DATA 3 c*2', 'retry 1/3'], 3_030],
      [3_030, 'timeout', ['-> DATA 3 c*2', 'retry 2/3'], 7_030],
      [7_030, 'timeout', ['-> DATA 3 c*2', 'retry 3/3'], 15_030],
      [
        15_030,
        'timeout',
        [`-> ERROR 0 ${UNCERTAIN}`, `failed TimeoutError ETIMEDOUT: ${UNCERTAIN}`],
        NEVER,
      ],
    ]);
    should(sender.stats.bytes).equal(16);
    should(recorder.lines()).containEql('+15030.0 ms -- the last block was not acknowledged');
  });

  it('has failed where the server closes its port before the last ACK', () => {
    play(clientPut('blksize=8'), [
      ...LAST_OUT,
      [
        40,
        'unreachable',
        [`failed LocalError ECONNREFUSED: Nothing listens there. ${UNCERTAIN}`],
        NEVER,
      ],
      [50, 'unreachable', [], NEVER],
    ]);
  });

  it('says nothing of the kind before all was sent', () => {
    play(clientPut('blksize=8'), [
      ...LAST_OUT.slice(0, -1),
      [30, 'unreachable', ['failed LocalError ECONNREFUSED: Nothing listens there'], NEVER],
    ]);
    play(clientPut('blksize=8'), [
      ...LAST_OUT.slice(0, 2),
      [30, 'unreachable', ['failed LocalError ECONNREFUSED: Nothing listens there'], NEVER],
    ]);
  });

  it('has failed where the whole last window is not acknowledged', () => {
    play(clientPut('blksize=8 windowsize=4', { ...POLICY, retries: 0 }), [
      [0, 'start', ['-> WRQ f octet blksize=8 windowsize=4'], 1_000],
      [
        10,
        '<- OACK blksize=8 windowsize=4',
        ['negotiated blksize=8 windowsize=4', 'need-data'],
        NEVER,
      ],
      [10, 'push abc', ['need-data'], NEVER],
      [10, 'end', ['-> DATA 1 abc'], 1_010],
      [
        1_010,
        'timeout',
        [`-> ERROR 0 ${UNCERTAIN}`, `failed TimeoutError ETIMEDOUT: ${UNCERTAIN}`],
        NEVER,
      ],
    ]);
  });
});

describe('Sender when DATA or an ACK is lost', () => {
  it('lock-step: repeats the first DATA', () => {
    const sender = serverRead('blksize=8');
    play(sender, [
      ...LOCKSTEP,
      [1_010, 'timeout', ['-> DATA 1 a*8', 'retry 1/3'], 3_010], // 1 s, then 2 s
      [3_010, 'timeout', ['-> DATA 1 a*8', 'retry 2/3'], 7_010], // then 4 s
      [7_000, '<- ACK 1', ['-> DATA 2 b*8'], 8_000], // progress: 1 s again
    ]);
    should(sender.stats.retransmits).equal(2);
  });

  it('lock-step: repeats a middle DATA', () => {
    play(serverRead('blksize=8'), [
      ...LOCKSTEP,
      [20, '<- ACK 1', ['-> DATA 2 b*8'], 1_020],
      [1_020, 'timeout', ['-> DATA 2 b*8', 'retry 1/3'], 3_020],
      [1_030, '<- ACK 2', ['-> DATA 3 c*2'], 2_030],
    ]);
  });

  it('lock-step: repeats the last DATA; a lost last ACK looks the same', () => {
    play(serverRead('blksize=8'), [
      ...LOCKSTEP,
      [20, '<- ACK 1', ['-> DATA 2 b*8'], 1_020],
      [30, '<- ACK 2', ['-> DATA 3 c*2'], 1_030],
      [1_030, 'timeout', ['-> DATA 3 c*2', 'retry 1/3'], 3_030],
      [1_040, '<- ACK 3', ['done'], NEVER],
    ]);
  });

  it('reports success without the final ACK after all retries of the last block', () => {
    const sender = serverRead('blksize=8');
    play(sender, [
      ...LOCKSTEP,
      [20, '<- ACK 1', ['-> DATA 2 b*8'], 1_020],
      [30, '<- ACK 2', ['-> DATA 3 c*2'], 1_030],
      [1_030, 'timeout', ['-> DATA 3 c*2', 'retry 1/3'], 3_030],
      [3_030, 'timeout', ['-> DATA 3 c*2', 'retry 2/3'], 7_030],
      [7_030, 'timeout', ['-> DATA 3 c*2', 'retry 3/3'], 15_030],
      [15_030, 'timeout', ['done without the final ACK'], NEVER],
      [15_040, '<- ACK 3', [], NEVER],
    ]);
    should(sender.stats.bytes).equal(18);
  });

  it('reports success without the final ACK when the peer closes its port on the last block', () => {
    play(serverRead('blksize=8'), [
      ...LOCKSTEP,
      [20, '<- ACK 1', ['-> DATA 2 b*8'], 1_020],
      [30, '<- ACK 2', ['-> DATA 3 c*2'], 1_030],
      [40, 'unreachable', ['done without the final ACK'], NEVER],
      [50, 'unreachable', [], NEVER],
    ]);
  });

  it('reports no success where the client has never acknowledged anything, however small the file', () => {
    for (const [push, data] of [
      ['push abc', '-> DATA 1 abc'],
      ['push ', '-> DATA 1'],
    ] as const) {
      const ready: readonly Row[] = [
        [0, 'start', ['negotiated', 'need-data'], NEVER],
        [0, push, ['need-data'], NEVER],
        [0, 'end', [data], 1_000],
      ];
      play(serverRead(), [
        ...ready,
        [1_000, 'timeout', [data, 'retry 1/3'], 3_000],
        [3_000, 'timeout', [data, 'retry 2/3'], 7_000],
        [7_000, 'timeout', [], 15_000],
        [15_000, 'timeout', [NO_ANSWER], NEVER],
      ]);
      play(serverRead(), [
        ...ready,
        [5, 'unreachable', ['failed LocalError ECONNREFUSED: Nothing listens there'], NEVER],
      ]);
    }
  });

  it('reports success without the final ACK of one block whose OACK was acknowledged', () => {
    play(serverRead('blksize=8', { ...POLICY, retries: 0 }), [
      [0, 'start', ['-> OACK blksize=8'], 1_000],
      [10, '<- ACK 0', ['negotiated blksize=8', 'need-data'], NEVER],
      [10, 'push abc', ['need-data'], NEVER],
      [10, 'end', ['-> DATA 1 abc'], 1_010],
      [1_010, 'timeout', ['done without the final ACK'], NEVER],
    ]);
  });

  it('fails where more than the last block is not acknowledged', () => {
    play(serverRead('blksize=8 windowsize=4'), [
      ...SECOND,
      [30, 'unreachable', ['failed LocalError ECONNREFUSED: Nothing listens there'], NEVER],
    ]);
  });

  it('fails without a word when the peer closes its port earlier', () => {
    play(serverRead('blksize=8'), [
      ...LOCKSTEP,
      [20, '<- ACK 1', ['-> DATA 2 b*8'], 1_020],
      [30, 'unreachable', ['failed LocalError ECONNREFUSED: Nothing listens there'], NEVER],
      [40, 'unreachable', [], NEVER],
    ]);
  });

  it('tells the peer when it falls silent in the middle', () => {
    play(serverRead('blksize=8'), [
      ...LOCKSTEP,
      [20, '<- ACK 1', ['-> DATA 2 b*8'], 1_020],
      [1_020, 'timeout', ['-> DATA 2 b*8', 'retry 1/3'], 3_020],
      [3_020, 'timeout', ['-> DATA 2 b*8', 'retry 2/3'], 7_020],
      [7_020, 'timeout', ['-> DATA 2 b*8', 'retry 3/3'], 15_020],
      [
        15_020,
        'timeout',
        [
          '-> ERROR 0 The peer fell silent after 8 bytes',
          'failed TimeoutError ETIMEDOUT: The peer fell silent after 8 bytes',
        ],
        NEVER,
      ],
    ]);
  });

  it('windows: goes back to the first DATA when ACK 0 is repeated', () => {
    const sender = serverRead('blksize=8 windowsize=4');
    play(sender, [
      ...WINDOWS,
      [20, '<- ACK 0', FIRST_WINDOW, 1_020],
      [30, '<- ACK 4', SECOND_WINDOW, 1_030],
    ]);
    should(sender.stats).deepEqual({ bytes: 32, retransmits: 4, duplicates: 1, stalls: 0 });
  });

  it('windows: goes on after the last block in order when a middle DATA is missing', () => {
    const sender = serverRead('blksize=8 windowsize=4');
    play(sender, [
      ...WINDOWS,
      [20, '<- ACK 2', ['-> DATA 3 c*8', '-> DATA 4 d*8', '-> DATA 5 e*8', '-> DATA 6 f*8'], 1_020],
      [30, '<- ACK 6', ['-> DATA 7 g*8', '-> DATA 8 h*2'], 1_030],
      [40, '<- ACK 8', ['done'], NEVER],
    ]);
    should(sender.stats).deepEqual({ bytes: 58, retransmits: 2, duplicates: 0, stalls: 0 });
  });

  it('windows: repeats the last DATA', () => {
    play(serverRead('blksize=8 windowsize=4'), [
      ...SECOND,
      [30, '<- ACK 7', ['-> DATA 8 h*2'], 1_030],
      [40, '<- ACK 8', ['done'], NEVER],
    ]);
  });

  it('windows: repeats the whole window when its ACK is lost', () => {
    const sender = serverRead('blksize=8 windowsize=4');
    play(sender, [
      ...SECOND,
      [1_020, 'timeout', [...SECOND_WINDOW, 'retry 1/3'], 3_020],
      [1_030, '<- ACK 8', ['done'], NEVER],
    ]);
    should(sender.stats).have.properties({ retransmits: 4, stalls: 1 });
  });
});

describe('Sender with duplicate, stale and future ACKs', () => {
  it('lock-step: a duplicate ACK never causes a DATA (RFC 1123 section 4.2.3.1)', () => {
    const sender = serverRead('blksize=8');
    play(sender, [
      ...LOCKSTEP,
      [11, '<- ACK 0', [], 1_010],
      [20, '<- ACK 1', ['-> DATA 2 b*8'], 1_020],
      [21, '<- ACK 1', [], 1_020],
      [22, '<- ACK 1', [], 1_020],
      [30, '<- ACK 2', ['-> DATA 3 c*2'], 1_030],
      [31, '<- ACK 2', [], 1_030],
      [32, '<- ACK 1', [], 1_030],
      [40, '<- ACK 3', ['done'], NEVER],
      [41, '<- ACK 3', [], NEVER],
    ]);
    should(sender.stats).deepEqual({ bytes: 18, retransmits: 0, duplicates: 5, stalls: 0 });
  });

  it('lock-step: sends each block once though every ACK comes three times', () => {
    const sent = { count: 0 };
    const sender = serverRead('blksize=8');
    sender.start(0);
    const acknowledge = (block: number) => {
      const ack = decodeTransferPacket(datagram(`ACK ${block}`))!;
      for (let i = 0; i < 3; i += 1) sender.handlePacket(ack, block);
    };
    acknowledge(0);
    sender.push(Buffer.alloc(8 * 50), 0);
    sender.end(0);
    for (let block = 1; block <= 51; block += 1) acknowledge(block);
    for (let run = sender.pollTransmit(); run; run = sender.pollTransmit()) sent.count += 1;
    should(sender.finished).be.true();
    should(sent.count).equal(1 + 51); // the OACK and the blocks
  });

  it('windows: rewinds once for each base', () => {
    play(serverRead('blksize=8 windowsize=4'), [
      ...SECOND,
      [30, '<- ACK 4', SECOND_WINDOW, 1_030],
      [40, '<- ACK 4', [], 1_030],
      [50, '<- ACK 4', [], 1_030],
      [60, '<- ACK 5', ['-> DATA 6 f*8', '-> DATA 7 g*8', '-> DATA 8 h*2'], 1_060],
      [70, '<- ACK 5', ['-> DATA 6 f*8', '-> DATA 7 g*8', '-> DATA 8 h*2'], 1_070],
      [80, '<- ACK 5', [], 1_070],
    ]);
  });

  describe('and a receiver that acknowledges each block of a window', () => {
    const FOUR = ['-> DATA 1 a*8', '-> DATA 2 b*8', '-> DATA 3 c*8', '-> DATA 4 d*8'];
    const asked = 'blksize=8 windowsize=6';
    const BEGUN: readonly Row[] = [
      [0, 'start', [`-> OACK ${asked}`], 1_000],
      [10, '<- ACK 0', [`negotiated ${asked}`, 'need-data'], NEVER],
      [10, `push ${blocks('abcdefghijklm')}`, [...FOUR, '-> DATA 5 e*8', '-> DATA 6 f*8'], 1_010],
      [10, 'end', [], 1_010],
    ];
    const KNOWN: readonly Row[] = [
      ...BEGUN,
      [20, '<- ACK 1', [], 30], // a gap, perhaps
      [21, '<- ACK 2', [], 31],
      [22, '<- ACK 3', [], 32],
      // Now it is known: what was acknowledged is replaced, and nothing is sent again.
      [
        23,
        '<- ACK 4',
        ['-> DATA 7 g*8', '-> DATA 8 h*8', '-> DATA 9 i*8', '-> DATA 10 j*8'],
        1_023,
      ],
    ];

    it('sends no block again for progress', () => {
      const sender = serverRead(asked);
      play(sender, [
        ...KNOWN,
        [24, '<- ACK 5', ['-> DATA 11 k*8'], 1_024],
        [26, '<- ACK 7', ['-> DATA 12 l*8', '-> DATA 13 m*8'], 1_026], // ACK 6 was lost
        [27, '<- ACK 8', ['-> DATA 14'], 1_027],
        [28, '<- ACK 9', [], 1_028],
        [29, '<- ACK 14', ['done'], NEVER],
      ]);
      should(sender.stats).deepEqual({ bytes: 104, retransmits: 0, duplicates: 0, stalls: 0 });
    });

    it('measures round trips', () => {
      play(serverRead(asked, { ...POLICY, minTimeout: 1 }), [
        ...KNOWN,
        [24, '<- ACK 5', ['-> DATA 11 k*8'], 1_024],
        [25, '<- ACK 6', ['-> DATA 12 l*8'], 70], // block 6 took 15: 15 + 4 * 7.5
        [59, '<- ACK 11', ['-> DATA 13 m*8', '-> DATA 14'], 104], // says nothing of block 12
        [60, '<- ACK 12', [], 120], // it took 35: 17.5 + 4 * 10.625
      ]);
    });

    it('goes back where an ACK comes again, unless others follow', () => {
      play(serverRead(asked), [
        ...KNOWN,
        [24, '<- ACK 4', [], 34],
        [25, '<- ACK 5', ['-> DATA 11 k*8'], 1_025],
        [26, '<- ACK 5', [], 36],
        [27, '<- ACK 5', [], 36],
        [
          36,
          'timeout',
          [
            ...['-> DATA 6 f*8', '-> DATA 7 g*8', '-> DATA 8 h*8', '-> DATA 9 i*8'],
            '-> DATA 10 j*8',
            '-> DATA 11 k*8',
          ],
          1_036,
        ],
      ]);
    });

    it('takes a lone ACK of the first block for the report of a gap, after a moment', () => {
      const sender = serverRead(asked);
      play(sender, [
        ...BEGUN,
        [20, '<- ACK 1', [], 30],
        [
          30,
          'timeout',
          [...FOUR.slice(1), '-> DATA 5 e*8', '-> DATA 6 f*8', '-> DATA 7 g*8'],
          1_030,
        ],
      ]);
      should(sender.stats).have.properties({ retransmits: 5, stalls: 0 });
    });

    it('learns it anew after a timeout', () => {
      play(serverRead(asked), [
        ...KNOWN,
        [
          1_023,
          'timeout',
          [
            '-> DATA 5 e*8',
            '-> DATA 6 f*8',
            '-> DATA 7 g*8',
            '-> DATA 8 h*8',
            '-> DATA 9 i*8',
            '-> DATA 10 j*8',
            'retry 1/3',
          ],
          3_023,
        ],
        [1_030, '<- ACK 5', [], 1_040],
      ]);
    });

    it('goes on behind what was acknowledged, though a timeout has sent less again', () => {
      play(serverRead(asked), [
        ...BEGUN,
        [1_010, 'timeout', ['-> DATA 1 a*8', 'retry 1/3'], 3_010],
        [1_020, '<- ACK 1', [], 1_030],
        [1_021, '<- ACK 2', [], 1_031],
        [1_022, '<- ACK 3', [], 1_032],
        [
          1_023,
          '<- ACK 4',
          [
            '-> DATA 5 e*8',
            '-> DATA 6 f*8',
            '-> DATA 7 g*8',
            '-> DATA 8 h*8',
            '-> DATA 9 i*8',
            '-> DATA 10 j*8',
          ],
          2_023,
        ],
      ]);
    });

    it('gives up on time though an ACK that may report a gap is looked at', () => {
      play(serverRead(asked, { ...POLICY, timeout: 5, minTimeout: 5, maxTimeout: 5, retries: 0 }), [
        [0, 'start', [`-> OACK ${asked}`], 5],
        [1, '<- ACK 0', [`negotiated ${asked}`, 'need-data'], NEVER],
        [1, `push ${blocks('ab')}`, ['-> DATA 1 a*8', '-> DATA 2 b*8', 'need-data'], 6],
        [2, '<- ACK 1', [], 7],
        [
          7,
          'timeout',
          [
            '-> ERROR 0 The peer fell silent after 8 bytes',
            'failed TimeoutError ETIMEDOUT: The peer fell silent after 8 bytes',
          ],
          NEVER,
        ],
      ]);
    });

    it('sees it by the even distance of the ACKs as well', () => {
      const sender = serverRead('blksize=8 windowsize=4');
      sender.start(0);
      sender.handlePacket({ type: 'ACK', block: 0 }, 0);
      sender.push(Buffer.alloc(8 * 100), 0);
      drain(sender);
      for (let block = 2; block <= 12; block += 2) {
        sender.handlePacket({ type: 'ACK', block }, block);
        const sent = drain(sender).filter((text) => text.startsWith('-> DATA'));
        should(sent).have.length(block < 12 ? 4 : 2, `after ACK ${block}`);
      }
    });
  });

  it('ignores an ACK of a block before the window, and one that was never sent', () => {
    const sender = serverRead('blksize=8 windowsize=4');
    play(sender, [
      ...SECOND,
      [30, '<- ACK 0', [], 1_020],
      [31, '<- ACK 3', [], 1_020],
      [32, '<- ACK 9', [], 1_020],
      [33, '<- ACK 65535', [], 1_020],
      [40, '<- ACK 8', ['done'], NEVER],
    ]);
    should(sender.stats.duplicates).equal(4);
  });

  it('is not taken for answered by an ACK of a block that was never sent', () => {
    play(serverRead(), [
      [0, 'start', ['negotiated', 'need-data'], NEVER],
      [0, 'push a*512', ['-> DATA 1 a*512', 'need-data'], 1_000],
      [10, '<- ACK 7', [], 1_000],
      [1_000, 'timeout', ['-> DATA 1 a*512', 'retry 1/3'], 3_000],
      [3_000, 'timeout', ['-> DATA 1 a*512', 'retry 2/3'], 7_000],
      [7_000, 'timeout', [], 15_000], // it listens on
      [15_000, 'timeout', [NO_ANSWER], NEVER],
    ]);
  });

  it('ignores block 0 where the rollover leaves it out', () => {
    play(serverRead('blksize=8 rollover=1'), [
      [0, 'start', ['-> OACK blksize=8 rollover=1'], 1_000],
      [10, '<- ACK 0', ['negotiated blksize=8 rollover=1', 'need-data'], NEVER],
      [10, `push ${blocks('ab')}`, ['-> DATA 1 a*8'], 1_010],
      [20, '<- ACK 1', ['-> DATA 2 b*8', 'need-data'], 1_020],
      [30, '<- ACK 0', [], 1_020],
    ]);
  });

  it('ignores packets that no receiver sends', () => {
    const sender = serverRead('blksize=8');
    play(sender, [
      ...LOCKSTEP,
      [20, '<- DATA 1 a*8', [], 1_010],
      [21, '<- OACK blksize=8', [], 1_010],
    ]);
    should(sender.stats.duplicates).equal(2);
  });
});

describe('Sender and its data', () => {
  it('asks for data before the window is empty, one piece at a time', () => {
    play(serverRead('blksize=8 windowsize=2'), [
      [0, 'start', ['-> OACK blksize=8 windowsize=2'], 1_000],
      [10, '<- ACK 0', ['negotiated blksize=8 windowsize=2', 'need-data'], NEVER],
      [11, 'push aaaa', ['need-data'], NEVER], // half a block
      [12, 'push aaaabbbbbbbb', ['-> DATA 1 a*8', '-> DATA 2 b*8', 'need-data'], 1_012],
      [13, 'push cccccccc', ['need-data'], 1_012], // a window of them is to lie ready
      [14, 'push dddddddd', [], 1_012],
      [20, '<- ACK 2', ['-> DATA 3 c*8', '-> DATA 4 d*8', 'need-data'], 1_020],
      [30, '<- ACK 4', [], NEVER], // nothing to send: it waits for the disk, not for the peer
      [31, '<- ACK 4', [], NEVER],
      [9_000, 'push eeeeeeee', ['-> DATA 5 e*8', 'need-data'], 10_000],
      [9_001, 'end', ['-> DATA 6'], 10_001],
      [9_002, 'end', [], 10_001],
      [9_010, '<- ACK 6', ['done'], NEVER],
    ]);
  });

  it('asks for two windows at first, if they are more than 2 KiB', () => {
    for (const [asked, bytes] of [
      ['blksize=256 windowsize=4', ''],
      ['blksize=513 windowsize=2', ' 2052'],
      ['blksize=65464 windowsize=4', ' 523712'],
    ]) {
      play(serverRead(asked), [
        [0, 'start', [`-> OACK ${asked}`], 1_000],
        [10, '<- ACK 0', [`negotiated ${asked}`, `need-data${bytes}`], NEVER],
      ]);
    }
  });

  it('asks for twice as much once it has got all that it asked for', () => {
    play(serverRead('blksize=2048'), [
      [0, 'start', ['-> OACK blksize=2048'], 1_000],
      [10, '<- ACK 0', ['negotiated blksize=2048', 'need-data 4096'], NEVER],
      [10, 'push a*4095', ['-> DATA 1 a*2048', 'need-data 4096'], 1_010], // a byte too few
      [10, 'push a*4096', [], 1_010],
      [20, '<- ACK 1', ['-> DATA 2 a*2048'], 1_020],
      [30, '<- ACK 2', ['-> DATA 3 a*2048', 'need-data 8192'], 1_030],
      [40, 'push a*9000', [], 1_030], // more than asked for
      [50, '<- ACK 3', ['-> DATA 4 a*2048'], 1_050],
      [60, '<- ACK 4', ['-> DATA 5 a*2048'], 1_060],
      [70, '<- ACK 5', ['-> DATA 6 a*2048'], 1_070],
      [80, '<- ACK 6', ['-> DATA 7 a*2048'], 1_080],
      [90, '<- ACK 7', ['-> DATA 8 a*2048', 'need-data 16384'], 1_090],
      [91, 'end', [], 1_090],
      [99, '<- ACK 8', ['-> DATA 9 a*807'], 1_099],
    ]);
  });

  for (const [asked, asks] of [
    // At first when the last block that lies ready has gone out.
    [
      'blksize=512',
      [
        [0, 2_048],
        [4, 4_096],
        [12, 8_192],
        [28, 16_384],
        [60, 32_768],
        [124, 65_536],
        [189, 131_072], // 63 blocks are left: less than a quarter of 128 KiB
        [445, 131_072],
        [701, 131_072],
      ],
    ],
    // As soon as no whole window lies ready.
    [
      'blksize=8192 windowsize=2',
      [
        [0, 32_768],
        [4, 65_536],
        [10, 131_072], // 2 blocks are left: less than a quarter of 128 KiB
        [26, 131_072],
        [42, 131_072],
      ],
    ],
    // Two windows are more than 128 KiB, and stay what is asked for.
    [
      'blksize=16384 windowsize=8',
      [
        [0, 262_144],
        [16, 262_144],
        [32, 262_144],
      ],
    ],
  ] as const) {
    it(`asks for more and more, and early in the end: ${asked}`, () => {
      const sender = serverRead(asked);
      should(appetite(sender, asks.length)).deepEqual(asks);
    });
  }

  it('takes no data before the opening and after the end', () => {
    play(clientPut(), [
      [0, 'start', ['-> WRQ f octet'], 1_000],
      [1, 'push a*512', [], 1_000],
      [2, 'end', [], 1_000],
      [
        3,
        'abort',
        ['-> ERROR 3 The disk is full', 'failed LocalError ENOSPC: The disk is full'],
        NEVER,
      ],
      [4, 'push a*512', [], NEVER],
      [5, 'end', [], NEVER],
    ]);
    play(serverRead('blksize=8'), [
      ...LOCKSTEP,
      [20, '<- ERROR 0 stop', ['failed PeerError EUNDEF: stop'], NEVER],
      [21, 'push a*8', [], NEVER],
      [22, 'end', [], NEVER],
    ]);
  });

  it('sends no last block after the end of the transfer', () => {
    play(serverRead('blksize=8 windowsize=4'), [
      [0, 'start', ['-> OACK blksize=8 windowsize=4'], 1_000],
      [10, '<- ACK 0', ['negotiated blksize=8 windowsize=4', 'need-data'], NEVER],
      [20, 'push a*8', ['-> DATA 1 a*8', 'need-data'], 1_020],
      [30, '<- ERROR 0 stop', ['failed PeerError EUNDEF: stop'], NEVER],
      [40, 'end', [], NEVER],
    ]);
  });

  it('has nothing to repeat while it waits for its first data', () => {
    play(serverRead(), [
      [0, 'start', ['negotiated', 'need-data'], NEVER],
      [10, 'repeat', [], NEVER],
      [20, 'end', ['-> DATA 1'], 1_020],
    ]);
  });

  for (const windowsize of [1, 4, 64]) {
    const edge = windowsize * 8;
    for (const length of new Set([0, 1, 7, 8, 9, edge - 1, edge, edge + 1])) {
      it(`sends ${length} bytes in windows of ${windowsize}`, () => {
        const file = Buffer.from(Array.from({ length }, (_, i) => i & 255));
        const sender = serverRead(`blksize=8 windowsize=${windowsize}`);
        const received = receiveAll(sender, file, windowsize, 0);
        should(received.content.toString('hex')).equal(file.toString('hex'));
        should(received.count).equal(Math.floor(length / 8) + 1);
        should(sender.stats).deepEqual({ bytes: length, retransmits: 0, duplicates: 0, stalls: 0 });
      });
    }
  }

  for (const rollover of [0, 1] as const) {
    for (const windowsize of [1, 4, 64]) {
      it(`sends 65,600 blocks in windows of ${windowsize}, rollover ${rollover}`, () => {
        const file = Buffer.from(Array.from({ length: 8 * 65_600 + 3 }, (_, i) => (i * 7) & 255));
        const sender = serverRead(`blksize=8 windowsize=${windowsize} rollover=${rollover}`);
        const received = receiveAll(sender, file, windowsize, rollover);
        should(received.content.equals(file)).be.true();
        should(received.count).equal(65_601);
        should(sender.stats.bytes).equal(file.length);
      });
    }
  }
});

describe('Sender and time', () => {
  it('is never below a second in lock-step, however short the round trips are', () => {
    play(serverRead('blksize=8', { ...POLICY, minTimeout: 200 }), [
      ...LOCKSTEP,
      [11, '<- ACK 1', ['-> DATA 2 b*8'], 1_011],
      [12, '<- ACK 2', ['-> DATA 3 c*2'], 1_012],
    ]);
    play(serverRead('blksize=8 windowsize=4', { ...POLICY, minTimeout: 200 }), [
      ...WINDOWS,
      [11, '<- ACK 4', SECOND_WINDOW, 211],
    ]);
  });

  it('measures round trips as RFC 6298 section 2 says, and no repeated block (Karn)', () => {
    play(serverRead('blksize=8'), [
      [0, 'start', ['-> OACK blksize=8'], 1_000],
      [50, '<- ACK 0', ['negotiated blksize=8', 'need-data'], NEVER],
      [50, `push ${blocks('abcdef')}`, ['-> DATA 1 a*8'], 1_050],
      [1_050, 'timeout', ['-> DATA 1 a*8', 'retry 1/3'], 3_050],
      [1_060, '<- ACK 1', ['-> DATA 2 b*8'], 2_060], // sent twice, so it measures nothing
      [2_060, 'timeout', ['-> DATA 2 b*8', 'retry 1/3'], 4_060],
      [2_100, '<- ACK 2', ['-> DATA 3 c*8'], 3_100],
      [3_000, '<- ACK 3', ['-> DATA 4 d*8'], 5_700], // SRTT 900, RTTVAR 450: 900 + 4 * 450
      [5_700, 'timeout', ['-> DATA 4 d*8', 'retry 1/2'], 11_100], // 2 * 2700
      [11_000, '<- ACK 4', ['-> DATA 5 e*8'], 13_700], // sent twice
      [11_900, '<- ACK 5', ['-> DATA 6 f*8', 'need-data'], 14_150], // 900, 337.5: 2250
    ]);
  });

  it('measures a window by its last block, and not if any of it was sent again', () => {
    const quick = { ...POLICY, minTimeout: 1 };
    play(serverRead('blksize=8 windowsize=2', quick), [
      [0, 'start', ['-> OACK blksize=8 windowsize=2'], 1_000],
      [0, '<- ACK 0', ['negotiated blksize=8 windowsize=2', 'need-data'], NEVER],
      [0, `push ${blocks('abcdefgh')}`, ['-> DATA 1 a*8', '-> DATA 2 b*8'], 1_000],
      [80, '<- ACK 1', [], 90],
      [90, 'timeout', ['-> DATA 2 b*8', '-> DATA 3 c*8'], 1_090], // says nothing of block 2
      [130, '<- ACK 3', ['-> DATA 4 d*8', '-> DATA 5 e*8'], 250], // block 3 took 40: 40 + 4 * 20
      [140, '<- ACK 3', ['-> DATA 4 d*8', '-> DATA 5 e*8'], 260], // all of it again
      [200, '<- ACK 5', ['-> DATA 6 f*8', '-> DATA 7 g*8', 'need-data'], 320], // still 120
    ]);
  });

  for (const asked of ['timeout=3', 'timeout=3 windowsize=2']) {
    it(`keeps to a negotiated timeout, however fast the client was: ${asked}`, () => {
      const sender = serverRead(asked);
      const step = asked.endsWith('2') ? 2 : 1;
      sender.start(0);
      should(sender.nextTimeout()).equal(3_000); // the OACK as well
      sender.handlePacket({ type: 'ACK', block: 0 }, 10);
      sender.push(Buffer.alloc(512 * 50), 10);
      for (let block = step; block <= 20; block += step) {
        sender.handlePacket({ type: 'ACK', block }, 10 + block);
        should(sender.nextTimeout()).equal(3_010 + block);
      }
      drain(sender);
      sender.handleTimeout(3_030);
      should(sender.nextTimeout()).equal(9_030); // twice as long
      should(drain(sender)).have.length(step + 1);
    });
  }

  it('repeats an OACK after the timeout that it grants, and gives up after half a minute', () => {
    play(serverRead('timeout=255'), [
      [0, 'start', ['-> OACK timeout=255'], 30_000],
      [5_000, 'repeat', ['-> OACK timeout=255'], 30_000],
      [30_000, 'timeout', [NO_ANSWER], NEVER],
    ]);
  });

  it('takes a negotiated timeout below its least', () => {
    play(serverRead('utimeout=250000'), [
      [0, 'start', ['-> OACK utimeout=250000'], 250],
      [10, '<- ACK 0', ['negotiated timeout=250', 'need-data'], NEVER],
      [10, 'push a*512', ['-> DATA 1 a*512', 'need-data'], 260],
    ]);
  });
});

describe('Sender and the end', () => {
  const ABORTED = ['-> ERROR 3 The disk is full', 'failed LocalError ENOSPC: The disk is full'];
  const STATES: readonly (readonly [string, () => Sender, readonly Row[]])[] = [
    ['opening, before the start', () => clientPut('blksize=8'), []],
    ['opening', () => clientPut('blksize=8'), [[0, 'start', ['-> WRQ f octet blksize=8'], 1_000]]],
    ['waiting for data', () => serverRead(), [[0, 'start', ['negotiated', 'need-data'], NEVER]]],
    ['sending', () => serverRead('blksize=8'), LOCKSTEP],
    ['sending windows', () => serverRead('blksize=8 windowsize=4'), SECOND],
  ];

  for (const [state, machine, rows] of STATES) {
    it(`abort tells the peer once: ${state}`, () => {
      const sender = machine();
      play(sender, [
        ...rows,
        [100, 'abort', ABORTED, NEVER],
        [101, 'abort', [], NEVER],
        [102, '<- ACK 1', [], NEVER],
        [103, 'repeat', [], NEVER],
        [104, '<- ERROR 1 late', [], NEVER],
        [105, 'start', [], NEVER],
      ]);
      should(sender.finished).be.true();
    });

    it(`an ERROR ends at once and is never answered: ${state}`, () => {
      const sender = machine();
      play(sender, [
        ...rows,
        [100, '<- ERROR 6 go away', ['failed PeerError EEXIST: go away'], NEVER],
        [101, '<- ERROR 6 go away', [], NEVER],
        [102, '<- ACK 1', [], NEVER],
        [103, 'abort', [], NEVER],
      ]);
      should(sender.finished).be.true();
    });
  }

  it('an ERROR 8 to an OACK ends a server as well', () => {
    play(serverRead('tsize=0 blksize=8'), [
      [0, 'start', ['-> OACK blksize=8'], 1_000],
      [10, '<- ERROR 8 User aborted', ['failed PeerError EOPTNEG: User aborted'], NEVER],
    ]);
  });

  it('writes down what happened', () => {
    const recorder = new FlightRecorder();
    play(serverRead('blksize=8 windowsize=4', POLICY, recorder), [
      ...SECOND,
      [30, '<- ACK 6', ['-> DATA 7 g*8', '-> DATA 8 h*2'], 1_030],
      [40, '<- ACK 6', ['-> DATA 7 g*8', '-> DATA 8 h*2'], 1_040],
      [50, '<- ACK 3', [], 1_040],
      [60, '<- ACK 6', [], 1_040],
      [70, '<- ERROR 0 stop', ['failed PeerError EUNDEF: stop'], NEVER],
    ]);
    should(recorder.lines()).deepEqual([
      '+0.0 ms -> OACK (25 B)',
      '+10.0 ms <- ACK 0',
      '+10.0 ms -> DATA 1…4 (8 B)',
      '+20.0 ms <- ACK 4',
      '+20.0 ms -> DATA 5…8 (8 B)',
      '+30.0 ms <- ACK 6 rewinds',
      '+30.0 ms -> DATA 7…8 (8 B)',
      '+40.0 ms <- ACK 6 repeated, rewinds',
      '+40.0 ms -> DATA 7…8 (8 B) again',
      '+50.0 ms <- ACK 3 stale, ignored',
      '+60.0 ms <- ACK 6 repeated',
      '+70.0 ms <- ERROR 0 stop',
    ]);
  });
});

/** A receiver without any timing: it takes what comes, and acknowledges each full window and the last block. */
function receiveAll(
  sender: Sender,
  file: Uint8Array,
  windowsize: number,
  rollover: 0 | 1,
): { content: Buffer; count: number } {
  const parts: Uint8Array[] = [];
  let wire = 0;
  let inWindow = 0;
  const receive = (bytes: Uint8Array) => {
    wire = wire === 65535 ? rollover : wire + 1;
    if (bytes[2]! * 256 + bytes[3]! !== wire) throw new Error(`Block ${wire} was due`);
    parts.push(bytes.subarray(4));
    inWindow += 1;
    if (inWindow < windowsize && bytes.length === 4 + 8) return;
    inWindow = 0;
    sender.handlePacket({ type: 'ACK', block: wire }, 0);
  };

  sender.start(0);
  sender.pollTransmit();
  sender.handlePacket({ type: 'ACK', block: 0 }, 0);
  const feed = feeder(sender, file);
  while (!sender.finished) {
    const fed = feed();
    const run = sender.pollTransmit();
    if (run) for (const bytes of datagramsOf(run)) receive(bytes);
    else if (!fed) throw new Error(`Nothing moves after ${parts.length} blocks`);
  }
  return { content: Buffer.concat(parts), count: parts.length };
}

/**
 * Acknowledges every window, answers each `need-data` in full, and tells after which block how much
 * was asked for.
 */
function appetite(sender: Sender, count: number): Array<[block: number, bytes: number]> {
  const asks: Array<[number, number]> = [];
  let last = 0;
  sender.start(0);
  sender.handlePacket({ type: 'ACK', block: 0 }, 0);
  for (;;) {
    for (let run = sender.pollTransmit(); run; run = sender.pollTransmit()) {
      const packets = datagramsOf(run).filter((bytes) => bytes[1] === 3);
      last += packets.length;
    }
    const event = sender.pollEvent();
    if (event === undefined) sender.handlePacket({ type: 'ACK', block: last }, 0);
    if (event?.type !== 'need-data') continue;
    asks.push([last, event.bytes]);
    if (asks.length === count) return asks;
    sender.push(new Uint8Array(event.bytes), 0);
  }
}

/** Answers `need-data` with the next 1000 bytes; false if nothing was asked. */
function feeder(sender: Sender, file: Uint8Array): () => boolean {
  let sent = 0;
  return () => {
    for (let event = sender.pollEvent(); event; event = sender.pollEvent()) {
      if (event.type !== 'need-data') continue;
      const chunk = file.subarray(sent, sent + 1000);
      sent += chunk.length;
      if (chunk.length > 0) sender.push(chunk, 0);
      else sender.end(0);
      return true;
    }
    return false;
  };
}
