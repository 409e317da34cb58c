/**
 * What holds for every page: no violation of axe, light and dark; nothing wider than a narrow screen; nothing that the policy forbids or
 * that comes from elsewhere; a small first load; a picture is kept (web/dist.pictures, with FLOWPATROL_PICTURES in docs/images).
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { goTo, open, openWindow, PASSWORD, type Program, portScript, ROOT, type Setting, signIn } from './support.ts';

const EXAMPLES = join(ROOT, 'scripts/callbacks/interface/alerts/flow');
const PICTURES = join(ROOT, process.env.FLOWPATROL_PICTURES === undefined ? 'web/dist.pictures' : 'docs/images');
const LARGEST_FIRST_LOAD = 150 * 1024;
const NARROW = { width: 360, height: 740 };
const WIDE = { width: 3840, height: 2160 };
const USUAL = { width: 1440, height: 900 };

const SCRIPTS = ['bad_line.lua', 'clear_text_login.lua', 'dns_exfiltration.lua', 'foreign_dns.ts', 'port_scan.lua', 'tls_policy.ts'];
/** Address, heading, and what says that everything is there. */
const PAGES = [
  ['', 'Dashboard', 'SIP'],
  ['flows', 'Flows', 'live flows'],
  ['alerts', 'Alerts', 'Connection issues'],
  ['alerts?group=script', 'Alerts', 'Highest score'],
  ['scripts', 'Scripts', 'Bad line'],
  ['scripts/bad_line', 'Bad line', 'Test on a capture'],
  ['hosts', 'Hosts', '10.0.0.9'],
  ['history', 'History', 'SIP'],
  ['interfaces', 'Interfaces', 'demo.pcap'],
  ['uploads', 'Uploads', 'Nothing was uploaded yet.'],
  ['exclusions', 'Exclusions', 'No exclusions.'],
  ['notifications', 'Notifications', 'Alerts are sent to nobody yet.'],
  ['preferences', 'Preferences', 'time between two visits'],
  ['access', 'Users and tokens', 'login'],
] as const;
const nameOf = (path: string): string => {
  const [page = '', one] = path.split('/');
  if (page.includes('?')) return 'groups';
  return one === undefined ? page || 'dashboard' : 'script';
};

describe('every page', () => {
  let setting: Setting | undefined;
  let program: Program;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let exporting: NodeJS.Timeout;
  before(async () => {
    mkdirSync(PICTURES, { recursive: true });
    const captures = ['demo.pcap', 'retransmissions.pcap'].flatMap((name) => ['-i', `test/captures/${name}`]);
    const scripts = Object.fromEntries(SCRIPTS.map((name) => [name, readFileSync(join(EXAMPLES, name), 'utf8')]));
    setting = await open({ ...scripts, 'telnet.lua': portScript('telnet', 'Telnet in use', 23) }, [...captures, '--pcap-callbacks', 'all']);
    ({ program, browser } = setting);
    ({ page, complaints } = await openWindow(browser, program));
    await signIn(page);
    const flows = Array.from({ length: 40 }, (_, n) => ({
      ...{ from: `10.0.${n % 3}.${n + 1}`, to: '10.0.0.9', fromPort: 50_000 + n, toPort: [23, 53, 443, 8080][n % 4] as number },
      ...{ tcp: n % 4 !== 1, bytes: 500 + 997 * n },
    }));
    const tell = (): void => void program.export(flows);
    tell();
    exporting = setInterval(tell, 1000);
  });
  after(() => {
    clearInterval(exporting);
    return setting?.close();
  });

  async function violations(): Promise<string[]> {
    const { violations: found } = await new AxeBuilder({ page }).analyze();
    return found.map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .map(({ html }) => html)
          .slice(0, 3)
          .join(' | ')}`,
    );
  }
  const keep = (name: string): Promise<Buffer> => page.screenshot({ path: join(PICTURES, `web-${name}.png`) });
  /** Pixels that a page is wider than the screen. */
  const tooWide = (): Promise<number> => page.evaluate('document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth');

  for (const [path, heading, there] of PAGES) {
    it(`${heading}: light, dark, narrow, wide`, async () => {
      await page.setViewportSize(USUAL);
      await page.emulateMedia({ colorScheme: 'light' });
      await goTo(page, program, path, heading);
      await page.getByRole('main').getByText(there).first().waitFor();
      await keep(nameOf(path));
      const light = await violations();
      await page.emulateMedia({ colorScheme: 'dark' });
      const dark = await violations();
      await page.setViewportSize(NARROW);
      const darkAndNarrow = await violations();
      const narrow = await tooWide();
      await page.setViewportSize(WIDE);
      const found = { light, dark, darkAndNarrow, narrow, wide: await tooWide() };
      assert.deepEqual(found, { light: [], dark: [], darkAndNarrow: [], narrow: 0, wide: 0 });
    });
  }

  it('Alert and Flow', async () => {
    await page.setViewportSize(USUAL);
    await page.emulateMedia({ colorScheme: 'light' });
    await goTo(page, program, 'alerts', 'Alerts');
    await page.getByRole('link', { name: 'Connection issues' }).first().click();
    await page.getByRole('heading', { level: 2, name: 'Why' }).waitFor();
    await keep('alert');
    assert.deepEqual(await violations(), []);
    await page.locator('dd a.mono').click();
    await page.getByRole('heading', { level: 2, name: 'All fields' }).waitFor();
    await keep('flow');
    assert.deepEqual(await violations(), []);
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.deepEqual(await violations(), []);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize(NARROW);
    assert.equal(await tooWide(), 0);
  });

  it('dialogs: columns, exclusion, notification', async () => {
    await page.setViewportSize(USUAL);
    await goTo(page, program, 'flows', 'Flows');
    await page.getByRole('button', { name: 'Columns' }).click();
    assert.deepEqual(await violations(), []);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await goTo(page, program, 'alerts', 'Alerts');
    await page.getByRole('button', { name: 'Exclude …' }).first().click();
    await page.getByRole('dialog').getByText('It would have hidden').waitFor();
    await keep('exclude');
    assert.deepEqual(await violations(), []);
    await page.keyboard.press('Escape');
    await goTo(page, program, 'notifications', 'Notifications');
    await page.getByRole('button', { name: 'Add a notification' }).click();
    await page.getByRole('dialog').getByText('where alerts are posted').waitFor();
    assert.deepEqual(await violations(), []);
    await page.getByRole('dialog').getByLabel('Name').fill('on call');
    await page.keyboard.press('Escape');
    await page.getByText('What was changed here is not stored.').waitFor();
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.deepEqual(await violations(), []);
    await page.getByRole('button', { name: 'Throw it away' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.emulateMedia({ colorScheme: 'light' });
    // a question before something goes for good
    await goTo(page, program, 'access', 'Users and tokens');
    await page.getByLabel('What it is for').fill('a program');
    await page.getByRole('button', { name: 'Make a token' }).click();
    await page.getByRole('button', { name: 'Remove a program' }).click();
    await page.getByRole('dialog', { name: 'Remove the token a program?' }).waitFor();
    assert.deepEqual(await violations(), []);
    await page.keyboard.press('Escape');
  });

  it('dark, in German, on a phone', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await goTo(page, program, 'scripts', 'Scripts');
    await page.getByLabel('Language').selectOption('de');
    await page.getByRole('heading', { level: 1, name: 'Skripte' }).waitFor();
    await page.getByRole('main').getByText('Status geändert').first().waitFor();
    await keep('dark');
    await page.setViewportSize(NARROW);
    assert.equal(await tooWide(), 0);
    await keep('narrow');
    await page.getByLabel('Sprache').selectOption('en');
  });

  it('in the language of the browser from the first word on', async () => {
    const context = await browser.newContext({ locale: 'de-DE' });
    const german = await context.newPage();
    await german.addInitScript(`globalThis.said = new Set();
      const look = () => document.querySelectorAll('button').forEach((each) => said.add(each.textContent.trim()));
      new MutationObserver(look).observe(document, { childList: true, subtree: true });`);
    // its words come last
    const asked = german.waitForResponse('**/api/v1/session');
    await german.route(/assets\/de-/, async (route) => {
      await (await asked).finished();
      await route.continue();
    });
    await german.goto(program.url);
    await german.getByRole('button', { name: 'Anmelden' }).waitFor();
    assert.deepEqual(await german.evaluate('[...said]'), ['Anmelden']);
    await context.close();
  });

  it('nothing that the policy forbids, nothing from elsewhere, no error', () => assert.deepEqual(complaints, []));

  it('the sign-in page', async () => {
    const other = await openWindow(browser, program);
    await other.page.getByLabel('Password').waitFor();
    await other.page.screenshot({ path: join(PICTURES, 'web-sign-in.png') });
    const { violations: found } = await new AxeBuilder({ page: other.page }).analyze();
    assert.deepEqual(found, []);
    await other.page.context().close();
  });

  it(`the first load is under ${LARGEST_FIRST_LOAD / 1024} KiB`, async () => {
    const other = await openWindow(browser, program);
    await other.page.getByLabel('Password').waitFor();
    const session = await other.page.context().newCDPSession(other.page);
    await session.send('Network.enable');
    await session.send('Network.setCacheDisabled', { cacheDisabled: true });
    let bytes = 0;
    const paths = new Map<string, string>();
    session.on('Network.responseReceived', ({ requestId, response }) => paths.set(requestId, new URL(response.url).pathname));
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      if (paths.get(requestId)?.startsWith('/api/') === false) bytes += encodedDataLength;
    });
    await other.page.reload();
    await signIn(other.page);
    await other.page.getByRole('img', { name: /Traffic; / }).waitFor();
    await other.page.locator('canvas').first().waitFor();
    console.log(`# first load, with the dashboard and its charts: ${(bytes / 1024).toFixed(1)} KiB`);
    assert.ok(bytes > 10_000 && bytes < LARGEST_FIRST_LOAD, `${bytes} bytes`);
    await other.page.context().close();
  });

  it('is used by keyboard alone: in, to the scripts, one switched off, a flow opened', async () => {
    const { page: keyboard } = await openWindow(browser, program);
    const { keyboard: keys } = keyboard;
    const focused = (): Promise<string> =>
      keyboard.evaluate(`(() => {
        const of = document.activeElement;
        const label = of.labels?.[0]?.textContent ?? of.getAttribute('aria-label') ?? of.textContent;
        return (of.getAttribute('role') ?? of.localName) + ' ' + label.trim().replace(/\\s+/g, ' ');
      })()`);
    async function tabTo(wanted: string): Promise<void> {
      const passed: string[] = [];
      for (let i = 0; i < 80; i++) {
        const at = await focused();
        if (at === wanted) return;
        passed.push(at);
        await keys.press('Tab');
      }
      assert.fail(`${wanted} is not reached: ${passed.join(', ')}`);
    }
    await keyboard.getByLabel('Password').waitFor();
    await tabTo('input Password');
    await keys.type(PASSWORD);
    await keys.press('Enter');
    await keyboard.getByRole('heading', { level: 1, name: 'Dashboard' }).waitFor();
    await keyboard.reload(); // the focus begins at the top
    await keyboard.getByRole('navigation', { name: 'Pages', exact: true }).waitFor();
    await tabTo('a Scripts');
    await keys.press('Enter');
    await keyboard.getByRole('checkbox', { name: 'on Telnet in use' }).waitFor();
    await tabTo('button Skip to content');
    await keys.press('Enter');
    await tabTo('input on Telnet in use');
    await keys.press('Space');
    await keyboard.getByRole('listitem').filter({ hasText: 'Telnet in use' }).locator('.chip', { hasText: /^off/ }).waitFor();
    await keyboard.goto(`${program.url}#/flows`);
    await keyboard.getByRole('row').filter({ hasText: '10.0.0.9' }).first().waitFor();
    await tabTo('grid Flows');
    await keys.press('Space');
    await keyboard.getByRole('button', { name: 'Go on' }).waitFor();
    await keys.press('ArrowDown');
    await keys.press('ArrowDown');
    await keys.press('Enter');
    await keyboard.getByRole('heading', { level: 1, name: /→ 10\.0\.0\.9/ }).waitFor();
    await keyboard.context().close();
  });
});
