import 'should';
import { randomId } from '../../src/net/random-id';

describe('randomId', () => {
  const ids = Array.from({ length: 1000 }, randomId);

  it('has the form of a UUID of version 4', () => {
    const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    ids.filter((id) => !form.test(id)).should.eql([]);
  });

  it('is another one each time', () => {
    new Set(ids).size.should.equal(ids.length);
  });
});
