import should = require('should');
import { NameRules } from '../../../src/server/names/name-rules';
import type { NameOutcome, NameRequest } from '../../../src/server/names/name-rules';

const CLIENT = '192.0.2.169';

/** What the rules make of a name: the name, or the text that the client sees after `!`. */
async function mapped(
  rules: string,
  name: string,
  request: Partial<NameRequest> = {},
  files?: readonly string[],
): Promise<string> {
  const exists = files && ((file: string) => Promise.resolve(files.includes(file)));
  const asked = { name, client: CLIENT, operation: 'read', ...request } as const;
  return told(await NameRules.parse(rules).apply(asked, exists));
}

function told(outcome: NameOutcome): string {
  if ('name' in outcome) return outcome.name;
  const { code, tftpCode, peerMessage } = outcome.refused;
  should({ code, tftpCode }).deepEqual({ code: 'EACCES', tftpCode: 2 });
  return `!${peerMessage}`;
}

describe('NameRules', () => {
  type Row = [what: string, rules: string, name: string, result: string];

  const operators: Row[] = [
    ['no rules leave the name', '', 'a/B', 'a/B'],
    ['a name is matched as it came, with its /', 'r ^/ X', '/a', 'Xa'],
    ['a name is matched as it came, without /', 'r ^/ X', 'a', 'a'],
    ['r replaces the first match', 'r a X', 'bab a', 'bXb a'],
    ['r without replacement removes', 'r ^/tftpboot/', '/tftpboot/x', 'x'],
    ['r goes on with the next rule', 'r a b\nr b c', 'a', 'c'],
    ['r replaces the leftmost and longest match', 'r b|bc|bcd X', 'abcde', 'aXe'],
    ['rg repeats until nothing matches', 'rg aa a', 'baaaa', 'ba'],
    ['rg looks at what it has put in', 'rg ab ba', 'aabb', 'bbaa'],
    ['rg that never ends refuses', 'rg a aa', 'a', '!Remap table failure'],
    ['rg that doubles the name refuses', 'rg .* \\0\\0', 'ab', '!Remap table failure'],
    ['rgg replaces every match once', 'rgg a aa', 'aba', 'aabaa'],
    ['rgg does not look at what it has put in', 'rgg ab ba', 'aabb', 'abab'],
    ['rgg matches ^ at the begin only', 'rgg ^a -', 'aaa', '-aa'],
    ['rgg of nothing in every place refuses', 'rgg x* -', 'abc', '!Remap table failure'],
    ['rgg ends with the name', 'rgg [a-z]* -', 'abc', '-'],
    ['g without r means nothing', 'g a b', 'a', 'a'],
    ['i ignores case', 'ri BOOT X', 'xbOoT', 'xX'],
    ['e accepts', 're a b\nr b c', 'a', 'b'],
    ['e goes on if there is no match', 're x y\nr a c', 'a', 'c'],
    ['e accepts without r', 'e a\nr a b', 'a', 'a'],
    ['s starts again from the top', 'r ^x y\nrs ^a x', 'a', 'y'],
    ['s that never ends refuses', 's a', 'a', '!Remap table failure'],
    ['j jumps to a label', 'j a end\nr a b\n:end\nr a c', 'a', 'c'],
    ['j goes on if there is no match', 'j x end\nr a b\n:end', 'a', 'b'],
    ['j jumps back', ':top\nr x y\nj x top', 'xxx', 'yyy'],
    ['j takes the first of two equal labels', 'j . l\n:l\ne .\n:l\nr . x', 'a', 'a'],
    ['j builds its label', 'j \\.(.*)$ \\1\na .\n:cfg\nr ^ cfg/', 'a.cfg', 'cfg/a.cfg'],
    ['j to a built label that is missing refuses', 'j (.*) \\1', 'a', '!Remap table failure'],
    ['s wins over j', 'js ^a end\n:end', 'a', '!Remap table failure'],
    ['a label may stand behind its colon', 'j . end\na .\n: end', 'a', 'a'],
    ['a refuses', 'a secret', 'x/secret', '!Access denied'],
    ['a tells its text', 'a ^.*/(.*) No\\ \\U\\1\\E\\ for\\ you', 'x/a', '!No A for you'],
    ['a goes on if there is no match', 'a secret', 'a', 'a'],
    ['~ acts where there is no match', '~a ^pub/ Only\\ pub', 'x', '!Only pub'],
    ['~ does not act where there is one', 'a~ ^pub/', 'pub/x', 'pub/x'],
    ['~ has no groups', 'a~ (x) -\\0\\1-', 'a', '!--'],
    ['~ may accept', '~e x\nr a b', 'a', 'a'],
    ['~ may jump', '~j x end\nr a b\n:end', 'a', 'a'],
  ];

  const escapes: Row[] = [
    ['\\0 is the match', 'r b.d <\\0>', 'abcde', 'a<bcd>e'],
    ['\\1 to \\9 are the groups', 'r (.)(.)(.) \\3\\2\\1\\9', 'abc', 'cba'],
    ['a group without part is blank', 'r (a)|(b) [\\1\\2]', 'b', '[b]'],
    ['\\i is the address', 'r ^ \\i/', 'a', '192.0.2.169/a'],
    ['\\x is the address in hexadecimal digits', 'r ^ \\x/', 'a', 'C00002A9/a'],
    ['\\\\ is a backslash', 'r / \\\\', 'a/b', 'a\\b'],
    ['a backslash at the end is one', 'r / \\', 'a/b', 'a\\b'],
    ['\\# is no comment', 'r a \\# # comment', 'a', '#'],
    ['\\ before a blank is a blank', 'r a\\ b x\\ y z', 'a b', 'x y'],
    ['\\ before anything else is nothing', 'r a \\q\\-', 'a', 'q-'],
    ['\\U is upper case', 'r (.*) \\U\\1x', 'aé1', 'AÉ1X'],
    ['\\L is lower case', 'r (.*) \\L\\1X', 'AÉ1', 'aé1x'],
    ['\\E ends it', 'r (.)(.) \\U\\1\\E\\2x', 'ab', 'Abx'],
    ['case folding ends with the replacement', 'r a \\Ub', 'axy', 'Bxy'],
    ['case folding keeps letters that would grow', 'r (.*) \\U\\1', 'aß', 'Aß'],
    ['a matched backslash is kept', 'r ^(.*)$ x/\\1', 'a\\b', 'x/a\\b'],
  ];

  const files: Row[] = [
    ['blank lines and comments', '\n  # x\n\t\nr a b # c\n#', 'a', 'b'],
    ['a comment right behind a word', 'r a b#c', 'a', 'b'],
    ['blanks before and between', ' \tr \t a   b', 'a', 'b'],
    ['line ends of Windows, and a byte order mark', '\uFEFFr a b\r\nr b c\r\n', 'a', 'c'],
    ['more words than it needs', 'r a b c d', 'a', 'b'],
    ['a protected backslash before a comment', 'r a \\\\#x', 'a', '\\'],
    ['a # in the pattern', 'r \\# x', 'a#', 'ax'],
  ];

  /** Rules of the manual, of Debian's sample and of boot servers' documentation. */
  const known: Row[] = [
    ['Windows separators', 'rg \\\\ /', '\\Boot\\BCD', '/Boot/BCD'],
    ['a root in front', 'r ^[^/] /tftpboot/\\0', 'a', '/tftpboot/a'],
    ['a root that is there', 'r ^[^/] /tftpboot/\\0', '/x/a', '/x/a'],
    ['a root that goes away', 'r ^/tftpboot/', '/tftpboot/a', 'a'],
    ['lower case', 'r ^.*$ \\L\\0', 'SEP0A.CNF', 'sep0a.cnf'],
    ['a drive letter', 'ri ^[a-z]: # no drive\nrg \\\\ /', 'C:\\x\\y', '/x/y'],
    ['a folder for each client', 'r ^.* clients/\\x/\\0', 'a', 'clients/C00002A9/a'],
    ['no dots', 'a \\.\\. No', '../etc/passwd', '!No'],
  ];

  for (const [title, rows] of Object.entries({ operators, escapes, files, known })) {
    describe(title, () => {
      for (const [what, rules, name, result] of rows) {
        it(what, async () => {
          (await mapped(rules, name)).should.equal(result);
        });
      }
    });
  }

  it('keeps rules for reads, writes, and versions of IP apart', async () => {
    const rules = 'r ^ -\nrG ^ G\nrP ^ P\nr4 ^ 4\nr6 ^ 6\nrGP ^ never\nr46 ^ never';
    (await mapped(rules, '')).should.equal('4G-');
    (await mapped(rules, '', { operation: 'write' })).should.equal('4P-');
    (await mapped(rules, '', { client: '2001:db8::1' })).should.equal('6G-');
    (await mapped(rules, '', { client: '::ffff:192.0.2.1' })).should.equal('4G-');
  });

  it('writes IPv6 addresses out', async () => {
    const addresses = [
      ['2001:db8::1', '20010DB8000000000000000000000001'],
      ['::', '00000000000000000000000000000000'],
      ['1:2:3:4:5:6:7:abc', '00010002000300040005000600070ABC'],
      ['fe80::1%eth0', 'FE800000000000000000000000000001'],
      ['64:ff9b::192.0.2.33', '0064FF9B0000000000000000C0000221'],
      ['::ffff:192.0.2.33', 'C0000221'],
    ];
    for (const [client = '', hex = ''] of addresses) {
      (await mapped('r ^ \\x', '', { client })).should.equal(hex);
    }
    (await mapped('r ^ \\i', '', { client: 'fe80::1%eth0' })).should.equal('fe80::1');
  });

  it('accepts with E only if there is such a file, and else undoes the rule', async () => {
    const rules = 'rE ^ \\i/\nrE ^ default/\nr ^ other/';
    (await mapped(rules, 'a', {}, [`${CLIENT}/a`, 'default/a'])).should.equal(`${CLIENT}/a`);
    (await mapped(rules, 'a', {}, ['default/a'])).should.equal('default/a');
    (await mapped(rules, 'a', {}, [])).should.equal('other/a');
    (await mapped('E ^\nr ^ x', 'a', {}, ['a'])).should.equal('a');
  });

  it('stops after as many steps as it may take, and not before', async () => {
    const endless = NameRules.parse('r ^ x\nr x y\ns y', { maxSteps: 9 });
    const request = { name: '', client: CLIENT, operation: 'read' } as const;
    const { steps, outcome } = await endless.explain(request);
    steps.length.should.equal(10);
    should('refused' in outcome && outcome.refused.message).equal(
      'The name rules failed in line 1: they come to no end in 9 steps',
    );
    const enough = NameRules.parse('r ^ x\nrgg x y\nP . \n:l', { maxSteps: 3 });
    told(await enough.apply({ ...request, name: 'x' })).should.equal('yy');
    should(() => NameRules.parse('', { maxSteps: 0 })).throw(/maxSteps is 0/, { code: 'EINVAL' });
  });

  it('stops patterns that take too much time', async () => {
    const slow = '(.*.*.*.*a){99}b';
    (await mapped(`a ${slow}\n`.repeat(100), 'a'.repeat(400))).should.equal('!Remap table failure');
  });

  it('tells all mistakes at once, with their lines', () => {
    const text = 'r (a x\n\nq a b\nr a b\nra x\nj x nowhere\nj y\nr\n:l\nr [z-a] x';
    should(() => NameRules.parse(text)).throw(
      'The name rules cannot be used: ' +
        'line 1: the pattern (a cannot be used: a ( is never closed by ); ' +
        'line 3: "q" is no operation: use some of r g e E s j a i G P 4 6 ~; ' +
        'line 5: r and a cannot be combined; ' +
        'line 6: there is no label :nowhere; ' +
        'line 7: j needs a label to jump to; ' +
        'line 8: "r" needs a pattern behind it; ' +
        'line 10: the pattern [z-a] cannot be used: the range z-a is upside down',
      { code: 'EINVAL' },
    );
  });

  for (const pair of ['r~', 'ra', 'rj', 'aj', 'as', 'ej', 'ae', 'es', 'eE', 'Ej', 'aE', 'Es']) {
    it(`refuses ${pair}, which cannot be meant`, () => {
      const [one = '', other = ''] = pair;
      for (const operation of [pair, `${other}i${one}`]) {
        should(() => NameRules.parse(`${operation} . l\n:l`)).throw(
          `The name rules cannot be used: line 1: ${one} and ${other} cannot be combined`,
        );
      }
    });
  }

  it('counts the hits of each rule, until they are reset', async () => {
    const rules = NameRules.parse('# top\nr a b\nE ^ # sub\na c no');
    const hits = (): number[] => rules.hits.map((rule) => rule.hits);
    const request = { client: CLIENT, operation: 'read' } as const;
    await rules.apply({ ...request, name: 'a' }, () => Promise.resolve(false));
    await rules.apply({ ...request, name: 'ac' }, () => Promise.resolve(false));
    await rules.explain({ ...request, name: 'a' });
    rules.hits.should.deepEqual([
      { line: 2, rule: 'r a b', hits: 2 },
      { line: 3, rule: 'E ^', hits: 0 },
      { line: 4, rule: 'a c no', hits: 1 },
    ]);
    rules.resetHits();
    hits().should.deepEqual([0, 0, 0]);
  });

  it('takes other rules, and keeps the old ones if those are wrong', async () => {
    const rules = NameRules.parse('r a b');
    const request = { name: 'a', client: CLIENT, operation: 'read' } as const;
    await rules.apply(request);
    should(() => rules.reload('r (')).throw(/line 1: /, { code: 'EINVAL' });
    told(await rules.apply(request)).should.equal('b');
    rules.hits.should.deepEqual([{ line: 1, rule: 'r a b', hits: 2 }]);
    rules.reload('r a c');
    told(await rules.apply(request)).should.equal('c');
    rules.hits.should.deepEqual([{ line: 1, rule: 'r a c', hits: 1 }]);
  });

  it('explains what each rule has made of a name', async () => {
    const rules = NameRules.parse('rE ^ x/\nr z y\nP .\nj a end\na .\n:end\na b Not\\ b');
    const { steps, outcome } = await rules.explain(
      { name: 'ab', client: CLIENT, operation: 'read' },
      () => Promise.resolve(false),
    );
    steps.should.deepEqual([
      { line: 1, rule: 'rE ^ x/', matched: false, name: 'ab', action: 'no such file: x/ab' },
      { line: 2, rule: 'r z y', matched: false, name: 'ab', action: 'no match' },
      { line: 4, rule: 'j a end', matched: true, name: 'ab', action: 'jump to end' },
      { line: 7, rule: 'a b Not\\ b', matched: true, name: 'ab', action: 'refuse' },
    ]);
    told(outcome).should.equal('!Not b');
  });
});
