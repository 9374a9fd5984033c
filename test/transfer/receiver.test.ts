import should = require('should');
import { decodeTransferPacket } from '../../src/protocol/decode';
import { FlightRecorder } from '../../src/transfer/flight-recorder';
import { writeOpening } from '../../src/transfer/opening';
import { grantOptions } from '../../src/protocol/options';
import { Receiver } from '../../src/transfer/receiver';
import { POLICY, clientGet, drain, play, serverWrite } from '../helpers/script';
import type { Row } from '../helpers/script';

const NEVER = undefined;
const NO_ANSWER = 'failed TimeoutError ETIMEDOUT: The peer did not answer';
const AGAIN = (text: string, why: string) =>
  `failed PeerError EUNDEF: ${text} (asked again without options after ${why})`;

/** A client that receives in lock-step; two blocks are in. */
const LOCKSTEP: readonly Row[] = [
  [0, 'start', ['-> RRQ f octet blksize=8'], 1_000],
  [10, '<- OACK blksize=8', ['-> ACK 0', 'negotiated blksize=8'], 1_010],
  [20, '<- DATA 1 a*8', ['-> ACK 1', 'data a*8'], 1_020],
  [30, '<- DATA 2 b*8', ['-> ACK 2', 'data b*8'], 1_030],
];

/** The last block is in, and the disk works on it. */
const COMMITTING: readonly Row[] = [...LOCKSTEP, [40, '<- DATA 3 cc', ['data c*2', 'end'], NEVER]];

/** All is safe, and the last ACK is out. */
const DALLYING: readonly Row[] = [...COMMITTING, [100, 'committed', ['-> ACK 3', 'done'], 8_100]];

/** A client that receives in windows of four; the first window is in. */
const WINDOWS: readonly Row[] = [
  [0, 'start', ['-> RRQ f octet blksize=8 windowsize=4'], 1_000],
  [10, '<- OACK blksize=8 windowsize=4', ['-> ACK 0', 'negotiated blksize=8 windowsize=4'], 1_010],
  [20, '<- DATA 1 a*8', ['data a*8'], 1_020],
  [21, '<- DATA 2 b*8', ['data b*8'], 1_021],
  [22, '<- DATA 3 c*8', ['data c*8'], 1_022],
  [23, '<- DATA 4 d*8', ['-> ACK 4', 'data d*8'], 1_023],
];

describe('Receiver as a client', () => {
  it('receives in lock-step', () => {
    const receiver = clientGet('blksize=8');
    play(receiver, DALLYING);
    should(receiver.stats).deepEqual({ bytes: 18, retransmits: 0, duplicates: 0, stalls: 0 });
    should(receiver.finished).be.false();
  });

  it('takes DATA 1 as "options ignored"', () => {
    play(clientGet('blksize=8 windowsize=4'), [
      [0, 'start', ['-> RRQ f octet blksize=8 windowsize=4'], 1_000],
      [10, '<- DATA 1 a*512', ['-> ACK 1', 'negotiated', 'data a*512'], 1_010],
    ]);
  });

  it('takes an OACK with less than it asked, and the size', () => {
    play(clientGet('blksize=1428 tsize=0 windowsize=16'), [
      [0, 'start', ['-> RRQ f octet blksize=1428 tsize=0 windowsize=16'], 1_000],
      [10, '<- OACK tsize=18 blksize=8', ['-> ACK 0', 'negotiated blksize=8 tsize=18'], 1_010],
    ]);
  });

  it('repeats a lost request, and gives up after all retries without a word', () => {
    const receiver = clientGet('blksize=8');
    play(receiver, [
      [0, 'start', ['-> RRQ f octet blksize=8'], 1_000],
      [1_000, 'timeout', ['-> RRQ f octet blksize=8', 'retry 1/3'], 3_000],
      // Half of the retries are without options.
      [3_000, 'timeout', ['-> RRQ f octet', 'retry 2/3'], 7_000],
      [7_000, 'timeout', ['-> RRQ f octet', 'retry 3/3'], 15_000],
      // 1 + 2 + 4 + 8 s
      [15_000, 'timeout', [`${NO_ANSWER}, with options or without`], NEVER],
    ]);
    should(receiver.stats.retransmits).equal(3);
  });

  it('takes an answer to either request once it has asked without options', () => {
    const ASKED: readonly Row[] = [
      [0, 'start', ['-> RRQ f octet blksize=8'], 1_000],
      [1_000, 'timeout', ['-> RRQ f octet blksize=8', 'retry 1/3'], 3_000],
      [3_000, 'timeout', ['-> RRQ f octet', 'retry 2/3'], 7_000],
    ];
    play(clientGet('blksize=8'), [
      ...ASKED,
      [3_010, '<- DATA 1 abc', ['negotiated', 'data abc', 'end'], NEVER],
    ]);
    play(clientGet('blksize=8'), [
      ...ASKED,
      [3_010, '<- OACK blksize=8', ['-> ACK 0', 'negotiated blksize=8'], 4_010],
    ]);
    play(clientGet('blksize=8'), [
      ...ASKED,
      [3_010, '<- ERROR 0 no', [AGAIN('no', 'no answer')], NEVER],
    ]);
  });

  it('repeats a lost ACK 0 by its own timer', () => {
    play(clientGet('blksize=8'), [
      [0, 'start', ['-> RRQ f octet blksize=8'], 1_000],
      [10, '<- OACK blksize=8', ['-> ACK 0', 'negotiated blksize=8'], 1_010],
      [1_010, 'timeout', ['-> ACK 0', 'retry 1/3'], 3_010],
      [3_010, 'timeout', ['-> ACK 0', 'retry 2/3'], 7_010],
      [3_020, '<- DATA 1 a*8', ['-> ACK 1', 'data a*8'], 4_020],
    ]);
  });

  it('repeats ACK 0 for a repeated OACK, until there is data', () => {
    const receiver = clientGet('blksize=8');
    play(receiver, [
      [0, 'start', ['-> RRQ f octet blksize=8'], 1_000],
      [10, '<- OACK blksize=8', ['-> ACK 0', 'negotiated blksize=8'], 1_010],
      [500, '<- OACK blksize=8', [], 525],
      [525, 'timeout', ['-> ACK 0'], 1_525],
      [530, '<- OACK blksize=8', [], 555],
      [540, '<- DATA 1 a*8', ['-> ACK 1', 'data a*8'], 1_540],
      [550, '<- OACK blksize=8', [], 1_540],
    ]);
    should(receiver.stats.duplicates).equal(3);
  });

  it('waits for DATA 1 or OACK alone', () => {
    const receiver = clientGet('blksize=8');
    play(receiver, [
      [0, 'start', ['-> RRQ f octet blksize=8'], 1_000],
      [1, '<- DATA 2 a*512', [], 1_000],
      [2, '<- ACK 0', [], 1_000],
      [3, '<- ACK 1', [], 1_000],
    ]);
    should(receiver.stats.duplicates).equal(3);
  });

  for (const [what, oack, message] of [
    ['a larger value', 'blksize=9', 'The server granted blksize=9 where 8 was asked'],
    ['an option unasked', 'tsize=5', 'The server granted tsize, which was not asked'],
  ] as const) {
    it(`refuses an OACK with ${what}`, () => {
      play(clientGet('blksize=8'), [
        [0, 'start', ['-> RRQ f octet blksize=8'], 1_000],
        [
          10,
          `<- OACK ${oack}`,
          [`-> ERROR 8 ${message}`, `failed ProtocolError EOPTNEG: ${message}`],
          NEVER,
        ],
      ]);
    });
  }

  it('refuses an OACK where no option was asked', () => {
    const message = 'The server sent an OACK unasked';
    play(clientGet(), [
      [0, 'start', ['-> RRQ f octet'], 1_000],
      [
        10,
        '<- OACK blksize=8',
        [`-> ERROR 8 ${message}`, `failed ProtocolError EOPTNEG: ${message}`],
        NEVER,
      ],
    ]);
  });

  for (const code of [0, 2, 4, 8]) {
    it(`asks once more without options when it is told ERROR ${code}`, () => {
      const recorder = new FlightRecorder();
      play(clientGet('blksize=8', POLICY, recorder), [
        [0, 'start', ['-> RRQ f octet blksize=8'], 1_000],
        [10, `<- ERROR ${code} no options`, ['-> RRQ f octet'], 1_010],
        [20, '<- DATA 1 abc', ['negotiated', 'data abc', 'end'], NEVER],
      ]);
      const why = `asks again without options after ERROR ${code} "no options"`;
      should(recorder.lines()).containEql(`+10.0 ms -- ${why}`);
      play(clientGet('blksize=8'), [
        [0, 'start', ['-> RRQ f octet blksize=8'], 1_000],
        [10, `<- ERROR ${code} no options`, ['-> RRQ f octet'], 1_010],
        [20, '<- ERROR 0 still', [AGAIN('still', `ERROR ${code} "no options"`)], NEVER],
      ]);
    });
  }

  it('says what the server said twice once', () => {
    play(clientGet('blksize=8'), [
      [0, 'start', ['-> RRQ f octet blksize=8'], 1_000],
      [10, '<- ERROR 2 ', ['-> RRQ f octet'], 1_010],
      [20, '<- ERROR 2 ', ['failed PeerError EACCES: Access violation'], NEVER],
    ]);
  });

  it('asks no second time where the file is the reason, or no option was asked', () => {
    play(clientGet(), [
      [0, 'start', ['-> RRQ f octet'], 1_000],
      [10, '<- ERROR 8 no', ['failed PeerError EOPTNEG: no'], NEVER],
    ]);
    for (const [code, name, text] of [
      [1, 'ENOENT', 'File not found'],
      [3, 'ENOSPC', 'Disk full or allocation exceeded'],
      [5, 'EBADTID', 'Unknown transfer ID'],
      [6, 'EEXIST', 'File already exists'],
      [7, 'ENOUSER', 'No such user'],
    ] as const) {
      play(clientGet('blksize=8'), [
        [0, 'start', ['-> RRQ f octet blksize=8'], 1_000],
        [10, `<- ERROR ${code} `, [`failed PeerError ${name}: ${text}`], NEVER],
      ]);
    }
  });

  it('says nothing of the first request once the second was answered', () => {
    play(clientGet('blksize=8'), [
      [0, 'start', ['-> RRQ f octet blksize=8'], 1_000],
      [10, '<- ERROR 0 no options', ['-> RRQ f octet'], 1_010],
      [20, '<- DATA 1 a*512', ['-> ACK 1', 'negotiated', 'data a*512'], 1_020],
      [30, '<- ERROR 0 the disk failed', ['failed PeerError EUNDEF: the disk failed'], NEVER],
    ]);
  });
});

describe('Receiver as a server', () => {
  it('sends ACK 0 where no option was asked', () => {
    play(serverWrite(), [
      [0, 'start', ['-> ACK 0'], 1_000],
      [10, '<- DATA 1 abc', ['negotiated', 'data abc', 'end'], NEVER],
      [20, 'committed', ['-> ACK 1', 'done'], 8_020],
    ]);
  });

  it('sends an OACK, which DATA 1 answers', () => {
    play(serverWrite('tsize=8 blksize=8'), [
      [0, 'start', ['-> OACK tsize=8 blksize=8'], 1_000],
      [10, '<- DATA 1 a*8', ['-> ACK 1', 'negotiated blksize=8 tsize=8', 'data a*8'], 1_010],
      [20, '<- DATA 2', ['end'], NEVER],
    ]);
  });

  it('repeats a lost ACK 0 or OACK; a lost DATA 1 looks the same', () => {
    play(serverWrite(), [
      [0, 'start', ['-> ACK 0'], 1_000],
      [1_000, 'timeout', ['-> ACK 0', 'retry 1/3'], 3_000],
      [1_010, '<- DATA 1 a*512', ['-> ACK 1', 'negotiated', 'data a*512'], 2_010],
    ]);
    play(serverWrite('blksize=8'), [
      [0, 'start', ['-> OACK blksize=8'], 1_000],
      [1_000, 'timeout', ['-> OACK blksize=8', 'retry 1/3'], 3_000],
      [1_010, '<- DATA 1 a', ['negotiated blksize=8', 'data a', 'end'], NEVER],
    ]);
  });

  for (const [asked, first] of [
    ['', '-> ACK 0'],
    ['blksize=8', '-> OACK blksize=8'],
  ] as const) {
    it(`sends ${first.slice(3)} at most three times to a silent client`, () => {
      play(serverWrite(asked), [
        [0, 'start', [first], 1_000],
        [1_000, 'timeout', [first, 'retry 1/3'], 3_000],
        [3_000, 'timeout', [first, 'retry 2/3'], 7_000],
        [7_000, 'timeout', [], 15_000], // it listens on
        [15_000, 'timeout', [NO_ANSWER], NEVER],
      ]);
    });

    it(`takes the data of a client that answers ${first.slice(3)} late`, () => {
      // tftp-hpa starts its five seconds anew at each ACK.
      const rows: readonly Row[] = [
        [0, 'start', [first], 1_000],
        [1_000, 'timeout', [first, 'retry 1/6'], 3_000],
        [3_000, 'timeout', [first, 'retry 2/6'], 7_000],
        [7_000, 'timeout', [], 30_000],
      ];
      const policy = { ...POLICY, maxTimeout: 10_000, retries: 6 };
      const negotiated = ['negotiated', ...(asked ? [asked] : [])].join(' ');
      play(serverWrite(asked, policy), [
        ...rows,
        [29_000, '<- DATA 1 abc', [negotiated, 'data abc', 'end'], NEVER],
      ]);
      play(serverWrite(asked, policy), [...rows, [30_000, 'timeout', [NO_ANSWER], NEVER]]);
    });

    it(`repeats ${first.slice(3)} for a repeated request, until there is data`, () => {
      play(serverWrite(asked), [
        [0, 'start', [first], 1_000],
        [100, 'repeat', [first], 1_100],
        [200, 'repeat', [first], 1_200],
        [300, 'repeat', [], 1_200],
      ]);
    });
  }

  it('does not repeat its opening once there is data', () => {
    play(serverWrite(), [
      [0, 'start', ['-> ACK 0'], 1_000],
      [10, '<- DATA 1 a*512', ['-> ACK 1', 'negotiated', 'data a*512'], 1_010],
      [20, 'repeat', [], 1_010],
    ]);
  });

  it('waits for DATA 1 alone', () => {
    play(serverWrite('blksize=8'), [
      [0, 'start', ['-> OACK blksize=8'], 1_000],
      [1, '<- ACK 0', [], 1_000],
      [2, '<- DATA 2 a*8', [], 1_000],
      [3, '<- OACK blksize=8', [], 1_000],
    ]);
  });

  it('refuses a first block that is too long', () => {
    const message = 'A block of 513 bytes came where 512 were agreed';
    play(serverWrite(), [
      [0, 'start', ['-> ACK 0'], 1_000],
      [
        10,
        '<- DATA 1 a*513',
        [`-> ERROR 4 ${message}`, 'negotiated', `failed ProtocolError EBADOP: ${message}`],
        NEVER,
      ],
    ]);
  });
});

describe('Receiver when DATA or an ACK is lost', () => {
  it('lock-step: repeats its ACK when the next DATA does not come', () => {
    const receiver = clientGet('blksize=8');
    play(receiver, [
      ...LOCKSTEP,
      [1_030, 'timeout', ['-> ACK 2', 'retry 1/3'], 3_030],
      [3_030, 'timeout', ['-> ACK 2', 'retry 2/3'], 7_030],
      [3_040, '<- DATA 3 c*8', ['-> ACK 3', 'data c*8'], 4_040],
    ]);
    should(receiver.stats).have.properties({ retransmits: 2, stalls: 2 });
  });

  it('lock-step: repeats its ACK for a repeated DATA, unless new data come', () => {
    const receiver = clientGet('blksize=8');
    play(receiver, [
      ...LOCKSTEP,
      [500, '<- DATA 2 b*8', [], 525],
      [525, 'timeout', ['-> ACK 2'], 1_525],
      [600, '<- DATA 2 b*8', [], 625],
      [610, '<- DATA 2 b*8', [], 625],
      [625, 'timeout', ['-> ACK 2'], 1_625],
      [700, '<- DATA 1 a*8', [], 725],
      [710, '<- DATA 3 c*8', ['-> ACK 3', 'data c*8'], 1_710],
    ]);
    should(receiver.stats).deepEqual({ bytes: 24, retransmits: 0, duplicates: 4, stalls: 2 });
  });

  it('lock-step: answers no copy while the answer to its first ACK can be on its way', () => {
    // Each packet comes twice, and the way there and back takes 200 ms.
    const receiver = clientGet('blksize=8');
    play(receiver, [
      ...LOCKSTEP.slice(0, 2),
      [210, '<- DATA 1 a*8', ['-> ACK 1', 'data a*8'], 1_210],
      [211, '<- DATA 1 a*8', [], 610],
      [410, '<- DATA 2 b*8', ['-> ACK 2', 'data b*8'], 1_410],
      [411, '<- DATA 2 b*8', [], 810],
      [810, 'timeout', ['-> ACK 2'], 1_810], // nothing came: it was lost
    ]);
  });

  it('lock-step: repeats an ACK after a second at the latest, however slow the peer was', () => {
    play(clientGet('blksize=8'), [
      ...LOCKSTEP.slice(0, 2),
      [910, '<- DATA 1 a*8', ['-> ACK 1', 'data a*8'], 3_610],
      [920, '<- DATA 1 a*8', [], 1_910],
      [1_910, 'timeout', ['-> ACK 1'], 4_610],
    ]);
  });

  it('gives up on time though the peer repeats what it sent before', () => {
    const receiver = serverWrite();
    receiver.start(0);
    const send = (block: number, now: number) =>
      receiver.handlePacket({ type: 'DATA', block, payload: new Uint8Array(512) }, now);
    send(1, 10);
    send(2, 20);
    let acks = 0;
    let now = 20;
    for (; !receiver.finished; now += 500) {
      send(1, now);
      for (let due = receiver.nextTimeout(); due! < now + 500; due = receiver.nextTimeout()) {
        receiver.handleTimeout(due!);
      }
      acks += drain(receiver).filter((text) => text === '-> ACK 2').length;
    }
    should(now).be.within(15_020, 15_520);
    should(acks).be.belowOrEqual(32); // one for each copy at most
  });

  it('tells the peer when it falls silent in the middle', () => {
    play(clientGet('blksize=8'), [
      ...LOCKSTEP,
      [1_030, 'timeout', ['-> ACK 2', 'retry 1/3'], 3_030],
      [3_030, 'timeout', ['-> ACK 2', 'retry 2/3'], 7_030],
      [7_030, 'timeout', ['-> ACK 2', 'retry 3/3'], 15_030],
      [
        15_030,
        'timeout',
        [
          '-> ERROR 0 The peer fell silent after 16 bytes',
          'failed TimeoutError ETIMEDOUT: The peer fell silent after 16 bytes',
        ],
        NEVER,
      ],
    ]);
  });

  it('windows: reports the first DATA missing, once', () => {
    play(clientGet('blksize=8 windowsize=4'), [
      ...WINDOWS.slice(0, 2),
      [20, '<- DATA 2 b*8', ['-> ACK 0'], 1_020],
      [21, '<- DATA 3 c*8', [], 1_020],
      [22, '<- DATA 4 d*8', [], 1_020],
      [30, '<- DATA 1 a*8', ['data a*8'], 1_030],
    ]);
  });

  it('windows: reports a middle DATA missing once for each gap, and counts a new window from there', () => {
    const receiver = clientGet('blksize=8 windowsize=4');
    play(receiver, [
      ...WINDOWS,
      [30, '<- DATA 5 e*8', ['data e*8'], 1_030],
      [31, '<- DATA 7 g*8', ['-> ACK 5'], 1_031], // 6 is missing
      [32, '<- DATA 8 h*8', [], 1_031],
      [40, '<- DATA 6 f*8', ['data f*8'], 1_040],
      [41, '<- DATA 8 h*8', ['-> ACK 6'], 1_041], // and now 7
      [42, '<- DATA 9 i*8', [], 1_041],
      [50, '<- DATA 7 g*8', ['data g*8'], 1_050],
      [51, '<- DATA 8 h*8', ['data h*8'], 1_051],
      [52, '<- DATA 9 i*8', ['data i*8'], 1_052],
      [53, '<- DATA 10 j*8', ['-> ACK 10', 'data j*8'], 1_053], // four after ACK 6
    ]);
    should(receiver.stats.duplicates).equal(4);
  });

  it('windows: reports a gap again when the window came again without the block', () => {
    play(clientGet('blksize=8 windowsize=4'), [
      ...WINDOWS,
      [30, '<- DATA 6 f*8', ['-> ACK 4'], 1_030],
      [31, '<- DATA 7 g*8', [], 1_030],
      [40, '<- DATA 6 f*8', ['-> ACK 4'], 1_040], // 5 was lost a second time
      [41, '<- DATA 7 g*8', [], 1_040],
      [1_040, 'timeout', ['-> ACK 4', 'retry 1/3'], 3_040],
    ]);
  });

  it('windows: acknowledges the last block in order when the last DATA of a window is lost', () => {
    const receiver = clientGet('blksize=8 windowsize=4');
    play(receiver, [
      ...WINDOWS,
      [30, '<- DATA 5 e*8', ['data e*8'], 1_030],
      [31, '<- DATA 6 f*8', ['data f*8'], 1_031],
      [1_031, 'timeout', ['-> ACK 6', 'retry 1/3'], 3_031],
      // The window counts anew: 7 to 10.
      [1_040, '<- DATA 7 g*8', ['data g*8'], 2_040],
      [1_041, '<- DATA 8 h*8', ['data h*8'], 2_041],
      [1_042, '<- DATA 9 i*8', ['data i*8'], 2_042],
      [1_043, '<- DATA 10 j*8', ['-> ACK 10', 'data j*8'], 2_043],
    ]);
    should(receiver.stats.retransmits).equal(1);
  });

  it('windows: repeats its ACK once for each repetition of a window', () => {
    const receiver = clientGet('blksize=8 windowsize=4');
    play(receiver, [
      ...WINDOWS,
      [500, '<- DATA 1 a*8', [], 525], // listens 25 ms for something new first
      [501, '<- DATA 2 b*8', [], 525],
      [502, '<- DATA 3 c*8', [], 525],
      [503, '<- DATA 4 d*8', [], 525],
      [525, 'timeout', ['-> ACK 4'], 1_525],
      [900, '<- DATA 1 a*8', [], 925],
      [901, '<- DATA 2 b*8', [], 925],
      [925, 'timeout', ['-> ACK 4'], 1_925],
      [926, '<- DATA 3 c*8', [], 1_925],
      [930, '<- DATA 5 e*8', ['data e*8'], 1_930],
    ]);
    should(receiver.stats.stalls).equal(2);
  });

  it('windows: does not answer a repetition that new blocks follow: no window is sent twice for it', () => {
    const receiver = clientGet('blksize=8 windowsize=4');
    play(receiver, [
      ...WINDOWS,
      [500, '<- DATA 3 c*8', [], 525],
      [501, '<- DATA 4 d*8', [], 525],
      [502, '<- DATA 5 e*8', ['data e*8'], 1_502],
    ]);
    should(receiver.stats.stalls).equal(0);
  });

  it('windows: answers a repetition of the next window as well', () => {
    play(clientGet('blksize=8 windowsize=4'), [
      ...WINDOWS,
      [500, '<- DATA 1 a*8', [], 525],
      [525, 'timeout', ['-> ACK 4'], 1_525],
      [530, '<- DATA 5 e*8', ['data e*8'], 1_530],
      [531, '<- DATA 6 f*8', ['data f*8'], 1_531],
      [532, '<- DATA 7 g*8', ['data g*8'], 1_532],
      [533, '<- DATA 8 h*8', ['-> ACK 8', 'data h*8'], 1_533],
      [900, '<- DATA 5 e*8', [], 925],
      [901, '<- DATA 6 f*8', [], 925],
      [925, 'timeout', ['-> ACK 8'], 1_925],
    ]);
  });

  it('ignores packets that no sender sends', () => {
    play(clientGet('blksize=8'), [...LOCKSTEP, [40, '<- ACK 2', [], 1_030]]);
  });

  it('refuses a block that is too long', () => {
    const message = 'A block of 9 bytes came where 8 were agreed';
    const receiver = clientGet('blksize=8');
    play(receiver, [
      ...LOCKSTEP,
      [
        40,
        '<- DATA 3 c*9',
        [`-> ERROR 4 ${message}`, `failed ProtocolError EBADOP: ${message}`],
        NEVER,
      ],
    ]);
    should(receiver.stats.bytes).equal(16);
  });
});

describe('Receiver, the last block and after', () => {
  it('acknowledges the last block only when it is safe', () => {
    const receiver = clientGet('blksize=8');
    play(receiver, [
      ...COMMITTING,
      [1_040, '<- DATA 3 cc', [], NEVER], // the sender repeats it meanwhile
      [3_040, '<- DATA 3 cc', [], NEVER],
      [3_050, '<- DATA 2 b*8', [], NEVER],
      [5_000, 'committed', ['-> ACK 3', 'done'], 13_000],
      [5_001, 'committed', [], 13_000],
    ]);
    should(receiver.stats.duplicates).equal(3);
  });

  it('is not committed before the end', () => {
    play(clientGet('blksize=8'), [
      [0, 'start', ['-> RRQ f octet blksize=8'], 1_000],
      [1, 'committed', [], 1_000],
      [10, '<- OACK blksize=8', ['-> ACK 0', 'negotiated blksize=8'], 1_010],
      [11, 'committed', [], 1_010],
    ]);
  });

  it('repeats the last ACK for eight timeouts, re-armed by each repeat', () => {
    const receiver = clientGet('blksize=8');
    play(receiver, [
      ...DALLYING, // at 100, until 8100
      [1_040, '<- DATA 3 cc', ['-> ACK 3'], 9_040],
      [3_040, '<- DATA 3 cc', ['-> ACK 3'], 11_040],
      [3_041, '<- DATA 2 b*8', ['-> ACK 3'], 11_041],
      [3_042, '<- ACK 3', [], 11_041],
      [11_041, 'timeout', [], NEVER],
      [11_042, '<- DATA 3 cc', [], NEVER],
    ]);
    should(receiver.finished).be.true();
  });

  it('dallies as long as a negotiated timeout asks', () => {
    play(serverWrite('timeout=3'), [
      [0, 'start', ['-> OACK timeout=3'], 3_000],
      [10, '<- DATA 1 a', ['negotiated timeout=3000', 'data a', 'end'], NEVER],
      [20, 'committed', ['-> ACK 1', 'done'], 24_020],
    ]);
  });

  it('windows: repeats the last ACK once for each repetition of the last window', () => {
    play(clientGet('blksize=8 windowsize=4'), [
      ...WINDOWS,
      [30, '<- DATA 5 e*8', ['data e*8'], 1_030],
      [31, '<- DATA 6 ff', ['data f*2', 'end'], NEVER],
      [40, 'committed', ['-> ACK 6', 'done'], 8_040],
      [500, '<- DATA 5 e*8', ['-> ACK 6'], 8_500],
      [501, '<- DATA 6 ff', [], 8_500],
      [900, '<- DATA 5 e*8', ['-> ACK 6'], 8_900],
    ]);
  });

  it('dallies for at most 30 s, with all that repeats add', () => {
    const slow = { ...POLICY, timeout: 20_000, maxTimeout: 20_000 };
    play(serverWrite('', slow), [
      [0, 'start', ['-> ACK 0'], 20_000],
      [10, '<- DATA 1 a', ['negotiated', 'data a', 'end'], NEVER],
      [20, 'committed', ['-> ACK 1', 'done'], 30_020],
    ]);
    const repeats = Array.from({ length: 29 }, (_, i): Row => {
      const at = 1_000 * (i + 1);
      return [at, '<- DATA 3 cc', ['-> ACK 3'], Math.min(at + 8_000, 30_100)];
    });
    play(clientGet('blksize=8'), [...DALLYING, ...repeats, [30_100, 'timeout', [], NEVER]]);
  });

  it('has ended well once it is committed, whatever comes', () => {
    const receiver = clientGet('blksize=8');
    play(receiver, [...DALLYING, [200, '<- ERROR 0 timed out', [], NEVER]]);
    should(receiver.finished).be.true();

    const aborted = clientGet('blksize=8');
    play(aborted, [...DALLYING, [200, 'abort', [], NEVER]]);
    should(aborted.finished).be.true();
  });
});

describe('Receiver and the size that was announced', () => {
  const ASKED = 'blksize=8 tsize=0';
  const begin = (size: number): readonly Row[] => [
    [0, 'start', [`-> RRQ f octet ${ASKED}`], 1_000],
    [
      10,
      `<- OACK blksize=8 tsize=${size}`,
      ['-> ACK 0', `negotiated blksize=8 tsize=${size}`],
      1_010,
    ],
    [20, '<- DATA 1 a*8', ['-> ACK 1', 'data a*8'], 1_020],
  ];
  const refused = (text: string) => [
    `-> ERROR 0 ${text}`,
    `failed ProtocolError EBADSIZE: ${text}`,
  ];
  const short = (bytes: number, size: number) =>
    refused(`The file ended after ${bytes} bytes, but ${size} were announced`);
  const long = (bytes: number, size: number) =>
    refused(`${bytes} bytes came, but ${size} were announced`);

  it('refuses a file that ends short of it, and hands out no end', () => {
    const receiver = clientGet(ASKED);
    play(receiver, [...begin(20), [30, '<- DATA 2 bbb', short(11, 20), NEVER]]);
    should(receiver.stats.bytes).equal(8);
    play(clientGet(ASKED), [...begin(9), [30, '<- DATA 2', short(8, 9), NEVER]]);
  });

  it('refuses a file that goes beyond it', () => {
    play(clientGet(ASKED), [...begin(10), [30, '<- DATA 2 bbb', short(11, 10), NEVER]]);
    play(clientGet(ASKED), [...begin(10), [30, '<- DATA 2 b*8', long(16, 10), NEVER]]);
    play(clientGet(ASKED), [...begin(8), [30, '<- DATA 2 b*8', long(16, 8), NEVER]]);
  });

  it('takes a file of just that size, with and without an empty block at its end', () => {
    play(clientGet(ASKED), [...begin(10), [30, '<- DATA 2 bb', ['data b*2', 'end'], NEVER]]);
    play(clientGet(ASKED), [...begin(8), [30, '<- DATA 2', ['end'], NEVER]]);
  });

  it('takes 0 for a size that is not known, as curl means it', () => {
    play(clientGet(ASKED), [...begin(0), [30, '<- DATA 2 bb', ['data b*2', 'end'], NEVER]]);
    play(serverWrite(ASKED), [
      [0, 'start', [`-> OACK ${ASKED}`], 1_000],
      [10, '<- DATA 1 a', [`negotiated ${ASKED}`, 'data a', 'end'], NEVER],
    ]);
  });

  it('holds an upload to the size that it echoed', () => {
    play(serverWrite('tsize=600'), [
      [0, 'start', ['-> OACK tsize=600'], 1_000],
      [10, '<- DATA 1 a*512', ['-> ACK 1', 'negotiated tsize=600', 'data a*512'], 1_010],
      [20, '<- DATA 2 b', short(513, 600), NEVER],
    ]);
  });

  it('asks nothing of a netascii file, whose line ends change its length', () => {
    const granted = grantOptions(
      [{ name: 'tsize', value: '600' }],
      { blksizeMax: 512, windowsizeMax: 1 },
      { direction: 'write', mode: 'netascii' },
    );
    const opening = writeOpening(granted, 'netascii');
    play(new Receiver(opening, POLICY, new FlightRecorder()), [
      [0, 'start', ['-> OACK tsize=600'], 1_000],
      [10, '<- DATA 1 a', ['negotiated tsize=600', 'data a', 'end'], NEVER],
    ]);
  });

  it('asks nothing where the server did not tell it', () => {
    play(clientGet(ASKED), [
      [0, 'start', [`-> RRQ f octet ${ASKED}`], 1_000],
      [10, '<- OACK blksize=8', ['-> ACK 0', 'negotiated blksize=8'], 1_010],
      [20, '<- DATA 1 a', ['data a', 'end'], NEVER],
    ]);
  });
});

describe('Receiver and a slow disk', () => {
  /** 16 blocks of 65464 bytes stay below 1 MiB, the 17th does not. */
  const FULL: readonly Row[] = [
    [0, 'start', ['-> OACK blksize=65464'], 1_000],
    [1, '<- DATA 1 a*65464', ['-> ACK 1', 'negotiated blksize=65464', 'data a*65464'], 1_001],
    ...Array.from({ length: 15 }, (_, i): Row => {
      const block = i + 2;
      return [
        block,
        `<- DATA ${block} a*65464`,
        [`-> ACK ${block}`, 'data a*65464'],
        1_000 + block,
      ];
    }),
    [17, '<- DATA 17 b*65464', ['data b*65464'], NEVER],
  ];

  it('holds its ACK until enough is consumed', () => {
    play(serverWrite('blksize=65464'), [
      ...FULL,
      [1_017, '<- DATA 17 b*65464', [], NEVER], // the sender repeats it meanwhile
      [2_000, 'consumed 64311', [], NEVER], // 1,048,577 bytes are left
      [3_000, 'consumed 1', ['-> ACK 17'], 4_000],
      [3_001, 'consumed 65464', [], 4_000],
      [3_010, '<- DATA 18 c*65464', ['-> ACK 18', 'data c*65464'], 4_010],
    ]);
  });

  it('reports no gap while it holds an ACK', () => {
    const receiver = serverWrite('blksize=65464 windowsize=17');
    const rows = FULL.map(([at, input, output]): Row => {
      const said = output
        .filter((text) => !text.startsWith('-> ACK'))
        .map((text) => text.replace('blksize=65464', 'blksize=65464 windowsize=17'));
      return [at, input, said, at === 17 ? NEVER : 1_000 + at];
    });
    play(receiver, [
      ...rows,
      [20, '<- DATA 19 d*65464', [], NEVER],
      [1_000, 'consumed 1000000', ['-> ACK 17'], 2_000],
    ]);
  });

  it('acknowledges the last block only when it is safe, even if it came while an ACK was held', () => {
    play(serverWrite('blksize=65464'), [
      ...FULL,
      [20, '<- DATA 18 cc', ['data c*2', 'end'], NEVER],
      [30, 'consumed 1112890', [], NEVER],
      [40, 'committed', ['-> ACK 18', 'done'], 8_040],
    ]);
  });

  it('has nothing to consume before the opening and after the end', () => {
    play(clientGet(), [
      [0, 'start', ['-> RRQ f octet'], 1_000],
      [1, 'consumed 1', [], 1_000],
    ]);
    play(serverWrite('blksize=65464'), [
      ...FULL,
      [20, '<- ERROR 0 stop', ['failed PeerError EUNDEF: stop'], NEVER],
      [30, 'consumed 1112888', [], NEVER],
      [31, 'committed', [], NEVER],
    ]);
  });
});

describe('Receiver and time', () => {
  it('waits as long as the measured round trip asks, and never less than the first timeout', () => {
    play(clientGet('blksize=8'), [
      [0, 'start', ['-> RRQ f octet blksize=8'], 1_000],
      [10, '<- OACK blksize=8', ['-> ACK 0', 'negotiated blksize=8'], 1_010],
      [910, '<- DATA 1 a*8', ['-> ACK 1', 'data a*8'], 3_610], // SRTT 900, RTTVAR 450: 2700
      [3_610, 'timeout', ['-> ACK 1', 'retry 1/2'], 9_010], // 2 * 2700
      [9_000, '<- DATA 2 b*8', ['-> ACK 2', 'data b*8'], 11_700], // sent twice: measures nothing
      [9_001, '<- DATA 3 c*8', ['-> ACK 3', 'data c*8'], 12_037.625], // 787.625, 562.25
    ]);
    play(clientGet('blksize=8', { ...POLICY, minTimeout: 1 }), LOCKSTEP);
  });

  it('windows: measures by the first block after an ACK alone', () => {
    play(clientGet('blksize=8 windowsize=4'), [
      ...WINDOWS.slice(0, 2),
      [910, '<- DATA 1 a*8', ['data a*8'], 3_610], // SRTT 900, RTTVAR 450: 2700
      [1_910, '<- DATA 2 b*8', ['data b*8'], 4_610],
    ]);
  });

  it('keeps to a negotiated timeout, however fast the sender was', () => {
    play(clientGet('timeout=3'), [
      [0, 'start', ['-> RRQ f octet timeout=3'], 1_000],
      [10, '<- OACK timeout=3', ['-> ACK 0', 'negotiated timeout=3000'], 3_010],
      [11, '<- DATA 1 a*512', ['-> ACK 1', 'data a*512'], 3_011],
      [12, '<- DATA 2 b*512', ['-> ACK 2', 'data b*512'], 3_012],
      [3_012, 'timeout', ['-> ACK 2', 'retry 1/2'], 9_012],
    ]);
  });
});

describe('Receiver and the end', () => {
  const ABORTED = ['-> ERROR 3 The disk is full', 'failed LocalError ENOSPC: The disk is full'];
  const STATES: readonly (readonly [string, () => Receiver, readonly Row[]])[] = [
    ['opening', () => clientGet('blksize=8'), LOCKSTEP.slice(0, 1)],
    ['receiving', () => clientGet('blksize=8'), LOCKSTEP],
    ['receiving windows', () => clientGet('blksize=8 windowsize=4'), WINDOWS],
    ['committing', () => clientGet('blksize=8'), COMMITTING],
    ['serving, opening', () => serverWrite(), [[0, 'start', ['-> ACK 0'], 1_000]]],
  ];

  for (const [state, machine, rows] of STATES) {
    it(`abort tells the peer once: ${state}`, () => {
      const receiver = machine();
      play(receiver, [
        ...rows,
        [100, 'abort', ABORTED, NEVER],
        [101, 'abort', [], NEVER],
        [102, '<- DATA 3 c*8', [], NEVER],
        [103, 'consumed 8', [], NEVER],
        [104, 'committed', [], NEVER],
        [105, '<- ERROR 1 late', [], NEVER],
      ]);
      should(receiver.finished).be.true();
    });

    it(`an ERROR ends at once and is never answered: ${state}`, () => {
      const receiver = machine();
      play(receiver, [
        ...rows,
        [100, '<- ERROR 3 full', ['failed PeerError ENOSPC: full'], NEVER],
        [101, '<- ERROR 3 full', [], NEVER],
        [102, '<- DATA 3 c*8', [], NEVER],
      ]);
      should(receiver.finished).be.true();
    });
  }

  it('writes down what happened', () => {
    const recorder = new FlightRecorder();
    play(serverWrite('blksize=8 windowsize=4', POLICY, recorder), [
      [0, 'start', ['-> OACK blksize=8 windowsize=4'], 1_000],
      [1_000, 'timeout', ['-> OACK blksize=8 windowsize=4', 'retry 1/3'], 3_000],
      [1_010, '<- ACK 0', [], 3_000],
      [1_020, '<- DATA 1 a*8', ['negotiated blksize=8 windowsize=4', 'data a*8'], 2_020],
      [1_021, '<- DATA 3 c*8', ['-> ACK 1'], 2_021],
      [1_022, '<- DATA 4 d*8', [], 2_021],
      [1_023, '<- DATA 1 a*8', [], 1_048],
      [1_048, 'timeout', ['-> ACK 1'], 2_048],
      [2_048, 'timeout', ['-> ACK 1', 'retry 1/3'], 4_048],
      [2_060, '<- DATA 2', ['end'], NEVER],
      [2_070, 'committed', ['-> ACK 2', 'done'], 10_070],
    ]);
    should(recorder.lines()).deepEqual([
      '+0.0 ms -> OACK (25 B)',
      '+1000.0 ms -> OACK (25 B) again',
      '+1010.0 ms <- ACK 0 no answer to the opening, ignored',
      '+1020.0 ms <- DATA 1 (8 B)',
      '+1021.0 ms <- DATA 3 (8 B) after a gap',
      '+1021.0 ms -> ACK 1 reports the gap',
      '+1022.0 ms <- DATA 4 (8 B) after a gap, ignored',
      '+1023.0 ms <- DATA 1 (8 B) repeated',
      '+1048.0 ms -> ACK 1 again',
      '+2048.0 ms -> ACK 1 again',
      '+2060.0 ms <- DATA 2',
      '+2070.0 ms -> ACK 2 complete',
    ]);
  });
});

describe('Receiver and its data', () => {
  for (const windowsize of [1, 4, 64]) {
    const edge = windowsize * 8;
    for (const length of new Set([0, 1, 7, 8, 9, edge - 1, edge, edge + 1])) {
      it(`receives ${length} bytes in windows of ${windowsize}`, () => {
        const file = Buffer.from(Array.from({ length }, (_, i) => i & 255));
        const receiver = serverWrite(`blksize=8 windowsize=${windowsize}`);
        const received = sendAll(receiver, file, 0);
        should(received.content.toString('hex')).equal(file.toString('hex'));
        should(received.acks).deepEqual(expectedAcks(Math.floor(length / 8) + 1, windowsize, 0));
        should(receiver.stats).deepEqual({
          bytes: length,
          retransmits: 0,
          duplicates: 0,
          stalls: 0,
        });
      });
    }
  }

  for (const rollover of [0, 1] as const) {
    for (const windowsize of [1, 4, 64]) {
      it(`receives 65,600 blocks in windows of ${windowsize}, rollover ${rollover}`, () => {
        const file = Buffer.from(Array.from({ length: 8 * 65_600 + 3 }, (_, i) => (i * 7) & 255));
        const receiver = serverWrite(`blksize=8 windowsize=${windowsize} rollover=${rollover}`);
        const received = sendAll(receiver, file, rollover);
        should(received.content.equals(file)).be.true();
        should(received.acks).deepEqual(expectedAcks(65_601, windowsize, rollover));
      });
    }
  }

  it('asks for the right block again behind the rollover', () => {
    for (const [rollover, wire] of [
      [0, [65535, 0, 1]],
      [1, [65535, 1, 2]],
    ] as const) {
      const receiver = serverWrite(`blksize=8 windowsize=4 rollover=${rollover}`);
      const [before, first, second] = wire;
      sendAll(receiver, Buffer.alloc(8 * 65_534), rollover, 65_534);
      play(receiver, [
        [1, `<- DATA ${before} a*8`, ['data a*8'], 1_001],
        [2, `<- DATA ${second} c*8`, [`-> ACK ${before}`], 1_002], // the block between is missing
        [3, `<- DATA ${first} b*8`, ['data b*8'], 1_003],
        [4, `<- DATA ${second} c*8`, ['data c*8'], 1_004],
        [5, `<- DATA ${before} a*8`, [], 30], // and this one came again
        [30, 'timeout', [`-> ACK ${second}`], 1_030],
      ]);
    }
  });
});

/** The ACKs of a transfer without loss, counted step by step. */
function expectedAcks(blocks: number, windowsize: number, rollover: 0 | 1): number[] {
  const acks: number[] = [];
  let wire = 0;
  for (let block = 1; block <= blocks; block += 1) {
    wire = wire === 65535 ? rollover : wire + 1;
    if (block % windowsize === 0 || block === blocks) acks.push(wire);
  }
  return acks;
}

/** A sender without any timing and any window: it sends block by block, `count` of them or the whole file. */
function sendAll(
  receiver: Receiver,
  file: Uint8Array,
  rollover: 0 | 1,
  count = Math.floor(file.length / 8) + 1,
): { content: Buffer; acks: number[] } {
  const parts: Uint8Array[] = [];
  const acks: number[] = [];
  let wire = 0;
  receiver.start(0);
  receiver.pollTransmit();
  for (let i = 0; i < count; i += 1) {
    wire = wire === 65535 ? rollover : wire + 1;
    const payload = file.subarray(8 * i, 8 * i + 8);
    receiver.handlePacket({ type: 'DATA', block: wire, payload }, 0);
    for (let event = receiver.pollEvent(); event; event = receiver.pollEvent()) {
      if (event.type === 'data') {
        parts.push(event.payload);
        receiver.consumed(event.payload.length, 0);
      }
      if (event.type === 'end') receiver.committed(0);
    }
    for (let ack = receiver.pollTransmit(); ack; ack = receiver.pollTransmit()) {
      const packet = decodeTransferPacket(ack.datagrams);
      if (packet?.type === 'ACK') acks.push(packet.block);
    }
  }
  return { content: Buffer.concat(parts), acks };
}
