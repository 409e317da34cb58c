/** The history beyond 10,000 flows: all of them in the chart, and in the pages of the table. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { goTo, open, openWindow, type Program, type Setting, signIn } from './support.ts';

const [WEB, DNS] = [10_200, 300];
const AT_ONCE = 1500;

describe('history', () => {
  let setting: Setting | undefined;
  let program: Program;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  before(async () => {
    setting = await open({});
    ({ program, browser } = setting);
    ({ page, complaints } = await openWindow(browser, program));
    await signIn(page);
    const flows = Array.from({ length: WEB + DNS }, (_, n) => ({
      ...{ from: `10.${n >> 14}.${(n >> 7) & 127}.${(n & 127) + 1}`, to: '10.200.0.9', fromPort: 20_000 + n, toPort: n < WEB ? 443 : 53 },
      ...{ tcp: n < WEB, bytes: 100 },
    }));
    for (let i = 0; i < flows.length; i += AT_ONCE) {
      await program.export(flows.slice(i, i + AT_ONCE));
      const sent = Math.min(flows.length, i + AT_ONCE);
      await page.waitForFunction(`(async () => (await (await fetch('/api/v1/status')).json()).interfaces[0].flows >= ${sent})()`);
    }
  });
  after(() => setting?.close());

  it('the table says how many there are, and has all of them in its pages', async () => {
    await goTo(page, program, 'history', 'History');
    await page.getByText('10,500 flows', { exact: true }).waitFor();
    const pages = page.getByRole('navigation', { name: 'Pages of the list' });
    await pages.getByText('1 – 100 of 10,500').waitFor();
    await pages.getByRole('button', { name: 'Last' }).click();
    await pages.getByText('10,401 – 10,500 of 10,500').waitFor();
    assert.ok(await pages.getByRole('button', { name: 'Next' }).isDisabled());
    const number = pages.getByRole('spinbutton', { name: 'Page' });
    await number.fill('101');
    await number.press('Enter');
    await pages.getByText('10,001 – 10,100 of 10,500').waitFor();
    const links = page.getByRole('region', { name: 'History' }).getByRole('row').getByRole('link');
    await links.first().waitFor();
    assert.equal(await links.count(), 100);
    await number.fill('4000');
    await number.press('Enter');
    await pages.getByText('10,401 – 10,500 of 10,500').waitFor();
  });

  it('the chart adds up all that matches, with a filter and without, over all times and over a range', async () => {
    await goTo(page, program, 'history?of=flows', 'History');
    await page.getByText('10,500 in all.').waitFor();
    await page.getByText('As interfaces have counted it.').waitFor();
    await goTo(page, program, `history?of=flows&filter=${encodeURIComponent('srv.port == 443')}`, 'History');
    await page.getByText('10,200 in all.').waitFor();
    await page.getByText('each at the time it ended').waitFor();
    await page.getByRole('combobox', { name: 'of', exact: true }).selectOption('bytes');
    await page.getByText('1.02 MB in all.').waitFor();
    await page.getByRole('combobox', { name: 'Time', exact: true }).selectOption('1h');
    await page.getByText('1.02 MB in all.').waitFor();
    await goTo(page, program, `history?filter=${encodeURIComponent('srv.port == 444')}`, 'History');
    await page.getByText('No flow matches.').waitFor();
    assert.deepEqual(complaints, []);
  });
});
