import should = require('should');
import { decodeTransferPacket } from '../../src/protocol/decode';
import { LocalError } from '../../src/protocol/errors';
import type { Machine } from '../../src/transfer/machine';
import { clientGet, clientPut, datagram, drain, serverRead, serverWrite } from '../helpers/script';

/** Packets that a machine may meet while it waits for an answer to its opening. */
const PACKETS = ['OACK blksize=8', 'OACK blksize=9', 'DATA 1 a', 'DATA 2 a', 'ACK 0', 'ACK 1'];

/** Which of the packets answer the opening. */
function answers(machine: Machine): string[] {
  return PACKETS.filter((text) => machine.isAnswer(decodeTransferPacket(datagram(text))!));
}

describe('Machine', () => {
  it('knows what answers its opening in each role, a refused OACK as well', () => {
    should(answers(clientGet('blksize=8'))).deepEqual([
      'OACK blksize=8',
      'OACK blksize=9',
      'DATA 1 a',
    ]);
    should(answers(clientPut('blksize=8'))).deepEqual([
      'OACK blksize=8',
      'OACK blksize=9',
      'ACK 0',
    ]);
    should(answers(serverRead('blksize=8'))).deepEqual(['ACK 0']);
    should(answers(serverWrite())).deepEqual(['DATA 1 a']);
  });

  it('changes nothing by that question', () => {
    const receiver = clientGet('blksize=8');
    receiver.start(0);
    drain(receiver);
    answers(receiver);
    should(drain(receiver)).deepEqual([]);
    should(receiver.nextTimeout()).equal(1_000);
    should(receiver.stats).deepEqual({ bytes: 0, retransmits: 0, duplicates: 0, stalls: 0 });
  });

  it('has no opening to answer once it runs, or has ended', () => {
    const sender = serverRead();
    sender.start(0);
    should(answers(sender)).deepEqual([]);
    const receiver = clientGet('blksize=8');
    receiver.abort(new LocalError('EIO', 'x'), 0);
    should(answers(receiver)).deepEqual([]);
  });

  it('tells the peer no local thing', () => {
    const receiver = serverWrite();
    const context = { peerMessage: 'The disk failed' };
    receiver.abort(new LocalError('EIO', '/srv/tftp/f: EIO', context), 0);
    should(drain(receiver)).deepEqual([
      '-> ERROR 0 The disk failed',
      'failed LocalError EIO: /srv/tftp/f: EIO',
    ]);
  });
});
