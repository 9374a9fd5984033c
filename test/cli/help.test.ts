import should = require('should');
import { COMMANDS } from '../../src/cli/command-table';
import { ExitCode } from '../../src/cli/exit-code';
import { commandHelp, generalHelp } from '../../src/cli/help';

describe('help', () => {
  for (const command of COMMANDS) {
    it(`of ${command.name} tells every flag and every operand`, () => {
      const help = commandHelp(command);
      for (const flag of command.flags) {
        const value = flag.value === undefined ? '' : ` ${flag.value}`;
        should(help).match(new RegExp(`^ .*--${flag.name}${value} +\\S`, 'm'));
        if (flag.short !== undefined) help.should.containEql(`-${flag.short}, --${flag.name}`);
      }
      for (const operand of command.operands) help.should.containEql(` ${operand} `);
    });
  }

  it('tells every command and every exit code', () => {
    const help = generalHelp();
    for (const { name, summary } of COMMANDS) {
      help.should.containEql(`red-tftp ${name}`);
      help.should.containEql(summary);
    }
    for (const code of Object.values(ExitCode)) help.should.match(new RegExp(`\\b${code}\\b`));
  });
});
