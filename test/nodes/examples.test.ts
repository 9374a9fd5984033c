/** Each flow of the import menu, run in a real Node-RED and tried as its comment says. */

import { readFile, readdir } from 'node:fs/promises';
import should = require('should');
import { TftpClient } from '../../src/client/client';
import { ExampleStage, exampleFiles } from '../helpers/examples';
import { MqttBench } from '../helpers/mqtt';

describe('the examples in Node-RED', () => {
  const examples = exampleFiles();
  const client = new TftpClient({ host: '127.0.0.1' });
  let mqtt: MqttBench;
  let stage: ExampleStage;

  before(async () => {
    mqtt = await MqttBench.open();
    stage = await ExampleStage.open(mqtt.port);
  });

  after(async () => {
    client.close();
    await stage?.close();
    await mqtt?.close();
  });

  /** Runs the example with this number and tries it: nothing may happen that its flow does not care for. */
  function example(number: number, does: string, attempt: () => Promise<void>): void {
    it(`${number} ${does}`, async () => {
      await stage.deploy(examples[number - 1]!);
      await attempt();
      should(stage.uncaught).deepEqual([]);
    });
  }

  /** What a TFTP client gets that asks from outside. */
  async function get(name: string, port: string): Promise<string> {
    const { data } = await client.get(name, { port: stage.port(port) });
    return data.toString();
  }

  async function put(content: string, name: string, port: string): Promise<void> {
    await client.put(content, name, { port: stage.port(port) });
  }

  async function fetched(page: string): Promise<{ status: number; body: string }> {
    const response = await fetch(new URL(page, stage.base));
    return { status: response.status, body: await response.text() };
  }

  it('need no nodes but those of Node-RED and of this package', async () => {
    const known = new Set([...(await stage.nodeTypes()), 'tab', 'group']);
    const used = new Set(examples.flatMap(({ nodes }) => nodes.map(({ type }) => type)));
    should([...used].filter((type) => !known.has(type))).deepEqual([]);
  });

  example(1, 'gets a file, and says why another one cannot be had', async () => {
    await stage.press('go');
    should(await stage.shown('file')).equal('line=7\nname=Reception\n');
    await stage.shown('events', has({ event: 'complete', filename: 'phone.cfg', bytes: 22 }));
    await stage.press('go-missing');
    should(await stage.shown('why')).match(/File not found$/);
    await stage.shown('events', has({ event: 'error', filename: 'missing.cfg' }));
    should(stage.all('file')).have.length(1);
    should(await get('phone.cfg', '6971')).equal('line=7\nname=Reception\n');
  });

  example(2, 'puts messages as files, and says why one is refused', async () => {
    await stage.press('go');
    const json = '{"phone":7,"name":"Reception"}';
    await stage.shown('received', has({ filename: 'phone-7.json', payload: json }));
    await stage.shown('sent', has({ event: 'complete', filename: 'phone-7.json', bytes: 30 }));
    await stage.press('go-text');
    await stage.shown('received', has({ filename: 'motd.txt', payload: 'Good morning' }));
    await stage.press('go-refused');
    should(await stage.shown('why')).match(/A file of this name may not be written$/);
    should(await stage.shown('refusal')).match(/may not be written .*"firmware\.bin"/);
    should(stage.all('sent')).have.length(2);
    await put('hello', 'hello.txt', '6972');
    await stage.shown('received', has({ filename: 'hello.txt', payload: 'hello' }));
  });

  example(3, 'serves a folder and tells who reads and writes what', async () => {
    await stage.press('upload');
    const file = stage.file('tftp-example-3', 'hello.txt');
    should(await stage.shown('received')).equal(file);
    should(await readFile(file, 'utf8')).equal('hello');
    await stage.press('download');
    should(await stage.shown('got')).equal('hello');
    await stage.shown('watch', is('127.0.0.1 read hello.txt: complete, 5 bytes'));
    await stage.shown('complete', has({ operation: 'read', filename: 'hello.txt' }));
    await stage.shown('progress', is(100));
    await stage.press('missing');
    should(await stage.shown('told')).match(/File not found$/);
    should(await stage.shown('caught')).match(/File not found .*"missing\.txt"/);
    await stage.shown('error', has({ filename: 'missing.txt' }));
    await put('from outside', 'a.txt', '6973');
    should(await get('a.txt', '6973')).equal('from outside');
  });

  example(4, 'makes the configuration of each phone, and refuses strangers', async () => {
    const config = (mac: string, line: number, name: string): string =>
      `<config>\n  <mac>${mac}</mac>\n  <line number="${line}" label="${name}"/>\n</config>\n`;
    const reception = config('00:04:f2:aa:bb:cc', 7, 'Reception');
    await stage.press('go');
    should(await stage.shown('config')).equal(reception);
    await stage.shown('served', is('00:04:f2:aa:bb:cc has cfg0004f2aabbcc.xml'));
    await stage.press('go2');
    await stage.shown('config', is(config('00:04:f2:dd:ee:ff', 8, 'Workshop')));
    await stage.press('go3');
    should(await stage.shown('told')).match(/No such phone/);
    await stage.shown('failed', is('127.0.0.1 did not get cfg0004f2000000.xml: No such phone'));
    should(await get('cfg0004f2aabbcc.xml', '6974')).equal(reception);
    await should(get('passwd', '6974')).be.rejectedWith({
      code: 'ENOENT',
      message: /No such phone/,
    });
  });

  example(5, 'keeps configurations under names with the time, and tells of changes', async () => {
    await stage.press('copy');
    should(await stage.shown('tell-changed')).match(/^sw1-confg of 127\.0\.0\.1 is new: /);
    await stage.press('copy');
    const said = await stage.shown('tell-same');
    should(said).match(/^sw1-confg of 127\.0\.0\.1 is as before: .*sw1-confg\.\d{8}T\d{6}Z(-\d)?$/);
    await stage.press('rename');
    await stage.shown('tell-changed', (value) => value !== stage.all('tell-changed')[0]);
    await stage.press('night');
    should(await stage.shown('fetched')).match(/^sw2 is kept as .*sw2\.\d{8}T\d{6}Z\.cfg$/);
    await stage.press('wrong');
    should(await stage.shown('alert')).match(/may not be written .*"core\.dump"/);
    should(await stage.shown('told')).match(/may not be written$/);
    await put('hostname sw3\n', 'sw3-confg', '6975');
    await stage.shown('tell-changed', (value) => String(value).startsWith('sw3-confg'));
    const names = (await readdir(stage.file('tftp-example-5'))).toSorted();
    should(names.map((name) => name.split('.')[0])).deepEqual([
      ...Array<string>(3).fill('sw1-confg'),
      ...['sw2', 'sw3-confg'],
    ]);
    const contents = names.map((name) => readFile(stage.file('tftp-example-5', name), 'utf8'));
    should((await Promise.all(contents))[3]).equal('hostname sw2\nend\n');
  });

  example(
    6,
    'pushes firmware when MQTT says so, and tells of progress and failure by MQTT',
    async () => {
      await stage.press('go');
      const result = await mqtt.message('firmware/lab-1/result');
      should(result).have.properties({ ok: true, file: 'phone.bin', bytes: 4_000_000 });
      await mqtt.message('firmware/lab-1/progress', has({ percent: 100 }));
      await stage.shown('received', is('phone.bin, 4000000 bytes'));
      await stage.press('go-wrong');
      should(await mqtt.message('firmware/alert')).have.properties({
        device: 'lab-1',
        host: '127.0.0.1',
        file: 'notes.txt',
        error: 'EACCES',
        text: 'Device lab-1 at 127.0.0.1 did not get notes.txt: A file of this name may not be written',
      });
      const command = { device: 'lab-2', host: '127.0.0.1', port: stage.port('6976') };
      await mqtt.publish('firmware/push', { ...command, file: 'other.bin' });
      should(await mqtt.message('firmware/lab-2/result')).have.property('file', 'other.bin');
      await mqtt.publish('firmware/push', { ...command, device: '#' });
      await mqtt.message('firmware/alert', (alert) =>
        /A command needs/.test(JSON.stringify(alert)),
      );
      await stage.shown('seen', has({ file: 'other.bin' }));
    },
  );

  example(7, 'answers HTTP requests with files and failures', async () => {
    const firmware = 'the firmware of the phone\n';
    const silent = fetched('/fetch/silent/phone.bin');
    should(await fetched('/fetch/lab/phone.bin')).deepEqual({ status: 200, body: firmware });
    for (const [answer, status, expected] of [
      [fetched('/fetch/lab/missing.bin'), 404, { code: 'ENOENT', message: 'File not found' }],
      [fetched('/fetch/none/phone.bin'), 404, { message: 'There is no device none' }],
      [fetched('/fetch/lab/secret.key'), 502, { code: 'EACCES', file: 'secret.key' }],
      [
        silent,
        504,
        { code: 'ETIMEDOUT', message: 'The peer did not answer, with options or without' },
      ],
    ] as const) {
      const { status: given, body } = await answer;
      should(given).equal(status, body);
      should(JSON.parse(body)).have.properties({ status, ...expected });
    }
    await stage.press('go');
    await stage.shown('page', is(`200 ${firmware}`));
    await stage.press('go-missing');
    await stage.shown('page', (value) => String(value).startsWith('404 {"status":404,'));
  });

  example(8, 'raises an alert in words, and is quiet about what is normal', async () => {
    await stage.shown('saved');
    await stage.press('good');
    await stage.shown('served', is('127.0.0.1 has firmware.bin'));
    await stage.press('trust');
    await stage.shown('miss', is('127.0.0.1 can do without CTLSEP0004F2AABBCC.tlv'));
    await stage.press('size');
    await stage.shown('probe', is('127.0.0.1 only asked for the size of firmware.bin'));
    should(stage.all('alert')).deepEqual([]);
    await stage.press('config');
    should(await stage.shown('alert')).match(
      /^127\.0\.0\.1 \(00:04:f2:aa:bb:cc\) could not download SEP0004F2AABBCC\.cnf\.xml: File not found \(ENOENT\)\.\nThe last packets:\n\+0\.0 ms <- RRQ .+\n\+[\d.]+ ms -> ERROR 1 .+$/,
    );
    await stage.press('full');
    const alert = await stage.shown('alert', (value) => String(value).includes('firmware.bin'));
    should(alert).match(/^127\.0\.0\.1 could not download firmware\.bin: .+ \(ENOSPC\)\.\n/);
    should(alert).match(/\nIt had [1-9]\d* bytes \([\d.]+ %\) after [\d.]+ s\.\n/);
    should(alert).match(/The last packets:\n(\+[\d.]+ ms .+\n)*\+[\d.]+ ms <- ERROR/);
    await should(get('no-such-firmware.bin', '6978')).be.rejectedWith({ code: 'ENOENT' });
    await stage.shown('alert', (value) => String(value).includes('no-such-firmware.bin'));
  });

  example(9, 'controls a server, and cancels transfers', async () => {
    const press = async (action: string, count = 1): Promise<unknown> => {
      await stage.press(action);
      await stage.shown('answers', () => stage.all('answers').length >= count);
      return stage.all('answers')[count - 1];
    };
    should(await press('status', 1)).have.properties({ state: 'listening', transfers: [] });
    should(await get('any.txt', '6979')).equal('This is a file.\n');
    should(await press('pause', 2)).have.property('state', 'paused');
    await should(get('any.txt', '6979')).be.rejectedWith(/The server is paused/);
    should(await press('resume', 3)).have.property('state', 'listening');
    await stage.press('dies');
    await stage.shown('events', is('start phone.cfg'));
    should(await press('status', 4))
      .have.property('transfers')
      .with.length(1);
    await press('cancel', 5);
    await stage.shown('events', (value) => String(value).startsWith('error phone.cfg: '));
    should(await press('reload', 6)).have.property('state', 'listening');
    should(await press('stop', 7)).have.properties({ state: 'stopped', addresses: [] });
    should(await press('start', 8)).have.property('state', 'listening');
    should(await get('any.txt', '6979')).equal('This is a file.\n');
    await stage.press('get-it');
    await stage.shown('get-events', is('start log.txt'));
    await stage.press('get-cancel');
    should(await stage.shown('get-why')).equal('ECANCELED');
    await stage.shown('get-events', (value) => String(value).startsWith('error log.txt: '));
  });

  example(10, 'serves what an HTTP backend has, and tells what it says', async () => {
    await stage.press('go');
    await stage.shown('got', is('phone.bin, 200000 bytes'));
    await stage.press('go-missing');
    should(await stage.shown('told')).match(/No such firmware/);
    should(await stage.shown('why')).match(/No such firmware.*missing\.bin/);
    await stage.press('go-broken');
    const broken = /The firmware backend says 500/;
    await stage.shown('told', (value) => broken.test(String(value)));
    await stage.shown('why', (value) => broken.test(String(value)));
    should(await get('phone.bin', '6980')).equal('firmware'.repeat(25_000));
  });
});

function is(expected: unknown): (value: unknown) => boolean {
  return (value) => value === expected;
}

/** True for an object that has these properties, whatever else it has. */
function has(expected: object): (value: unknown) => boolean {
  const entries = Object.entries(expected);
  return (value) =>
    value instanceof Object && entries.every(([name, one]) => Reflect.get(value, name) === one);
}
