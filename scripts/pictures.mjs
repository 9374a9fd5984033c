// Remakes the pictures of README in docs/pictures/: the editor with the flow of the demo, while devices
// fetch their files. Needs chromium, as the tests in test/browser/ do, whose hands it uses.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Devices } from './pictures/devices.mjs';

const require = createRequire(import.meta.url);
const tests = '../dist/test';
const { findChromium } = require(`${tests}/browser/chromium.js`);
const { Sidebar } = require(`${tests}/browser/sidebar.js`);
const { Workplace } = require(`${tests}/browser/workplace.js`);
const { NODE_RED_RELEASES, nodeFor } = require(`${tests}/package/node-red-runtime.js`);

const folder = path.dirname(fileURLToPath(import.meta.url));
const target = path.join(folder, '../docs/pictures');
const PORT = 6969;
/** Debug nodes that tell of every event. */
const QUIET = new Set(['server', 'put', 'get', 'phone']);

/** The newest Node-RED for which there is a Node.js. */
const release = NODE_RED_RELEASES.findLast((one) => nodeFor(one) !== undefined);
const chromium = findChromium();
if (chromium === undefined) throw new Error('There is no chromium: name one in TFTP_CHROMIUM');

const devices = new Devices(PORT);
const workplace = await Workplace.open(
  { release, flow: furnish },
  { node: nodeFor(release), chromium },
);
try {
  const editor = await workplace.visit({ browser: { viewport: { width: 1320, height: 740 } } });
  const { page } = editor;
  const sidebar = await Sidebar.open(page);
  // The story of the demo: a push, a fetch, and a phone that asks for what is missing.
  await sidebar.row('phone-7.cfg', 'failed').waitFor();
  await editor.press('demo-call');
  await page.locator('.red-ui-debug-msg', { hasText: 'could not get' }).waitFor();
  await devices.start();
  await page.locator('.red-ui-notification').first().waitFor({ state: 'detached' });
  await sidebar.moves(devices.watched, 10);
  await shoot(page, 'overview');
  await shootSidebar();
  await page.setViewportSize({ width: 1320, height: 900 });
  await shootDialog('server', 'demo-server', { root: '/srv/tftp', port: String(PORT) });
  await shootDialog('get', 'demo-get', { host: '192.0.2.10', port: '', filename: 'backup.cfg' });
  await shootDialog('put', 'demo-put', { host: '192.0.2.10', port: '' });
  const response = await editor.drag('tftp-response', 500, 650);
  await shootDialog('response', response, {});

  async function shootSidebar() {
    const high = await workplace.visit({ browser: { viewport: { width: 1320, height: 1250 } } });
    const shown = await Sidebar.open(high.page);
    await widen(high.page);
    await shown.moves(devices.watched, 10);
    await shoot(shown.area, 'sidebar-light');
    await setDark(high.page, true);
    await shoot(shown.area, 'sidebar-dark');
    await setDark(high.page, false);
    await shown.filter(devices.refused);
    await shown.unfold(devices.refused, 'failed');
    await shoot(shown.area, 'sidebar-failure');
    await high.close();
  }

  /** A dialog with these fields filled in, down to its last row. */
  async function shootDialog(name, id, fields) {
    const dialog = await editor.openDialog(id);
    for (const [field, value] of Object.entries(fields)) await dialog.fill(field, value);
    const [tray, form] = await Promise.all([dialog.tray.boundingBox(), dialog.form.boundingBox()]);
    const height = Math.min(tray.height, form.y + form.height + 24 - tray.y);
    await shoot(page, `${name}-dialog`, { clip: { ...tray, height } });
    await dialog.cancel();
  }
} finally {
  devices.stop();
  await workplace.close();
}

/** The flow of the demo, with the files that the devices ask for. */
function furnish(directory) {
  devices.furnish((name, content) => directory.write(path.join('tftp', name), content));
  Object.assign(process.env, {
    TFTP_DEMO_PORT: String(PORT),
    TFTP_DEMO_ROOT: directory.file('tftp'),
  });
  const flow = JSON.parse(readFileSync(path.join(folder, 'demo/flow.json'), 'utf8'));
  // A busy server would fill the debug sidebar.
  return flow.map((node) => (QUIET.has(node.name) ? { ...node, active: false } : node));
}

/** Node-RED 5 puts two sidebars above each other: gives the upper one most of the room. */
async function widen(page) {
  const separator = page.locator('.red-ui-sidebar-section-separator > *').last();
  if ((await separator.count()) === 0) return;
  const { x, y, width, height } = await separator.boundingBox();
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width / 2, page.viewportSize().height - 330, { steps: 4 });
  await page.mouse.up();
}

async function setDark(page, isDark) {
  await page.evaluate(
    (dark) => document.documentElement.classList.toggle('nr-theme-dark', dark),
    isDark,
  );
}

async function shoot(what, name, options) {
  const file = path.join(target, `${name}.png`);
  await what.screenshot({ path: file, animations: 'disabled', ...options });
  console.log(`docs/pictures/${name}.png`);
}
