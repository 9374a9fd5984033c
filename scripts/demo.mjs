// The demo: Node-RED with a flow that pushes a firmware image to its own tftp server, fetches it back,
// and raises an alert when a phone asks for a file that is missing.
// `--once`: ends when all of that has happened, with exit code 0, or 1 if something is missing.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startNodeRed } from './demo/embedded.mjs';
import { Story } from './demo/story.mjs';

/** Milliseconds that the story may take. */
const PATIENCE = 60_000;

const folder = path.dirname(fileURLToPath(import.meta.url));
const story = new Story();
const demo = await startNodeRed({
  root: path.resolve(folder, '..'),
  flowFile: path.join(folder, 'demo', 'flow.json'),
  onDebug: (name, msg) => console.log(story.tell(name, msg)),
});

console.log(`Node-RED ${demo.version}: the editor is at ${demo.editor}`);
console.log(`The tftp server listens at 127.0.0.1:${demo.tftpPort}`);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void end(0));

const missing = await story.missing(PATIENCE);
if (missing.length > 0) console.error(`This did not happen: ${missing.join('; ')}`);
if (process.argv.includes('--once')) await end(missing.length === 0 ? 0 : 1);
else
  console.log('That was the story. Press a button in the editor to run it again, Ctrl+C to stop.');

async function end(code) {
  await demo.stop();
  process.exit(code);
}
