/** A run of captures alone, after they are read: nothing lives, and what there was is what the pages begin with. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { goTo, open, openWindow, PASSWORD, type Program, type Setting, signIn } from './support.ts';

describe('captures that have ended', () => {
  let setting: Setting | undefined;
  let program: Program;
  let browser: Browser;
  let page: Page;
  before(async () => {
    setting = await open({}, ['-i', 'test/captures/demo.pcap', '--pcap-callbacks', 'all'], PASSWORD, false);
    ({ program, browser } = setting);
    ({ page } = await openWindow(browser, program, { viewport: { width: 1366, height: 768 } }));
    await signIn(page);
    await goTo(page, program, 'interfaces', 'Interfaces');
    await page.getByText('ended', { exact: true }).waitFor();
  });
  after(() => setting?.close());

  it('their flows are in the table of flows, which says where they come from', async () => {
    await goTo(page, program, 'flows', 'Flows');
    await page.getByRole('note').getByText('All captures have been read to their end').waitFor();
    await page.getByRole('row').filter({ hasText: 'UDP SIP' }).first().waitFor();
    const filter = page.getByRole('combobox', { name: 'Filter' });
    await filter.fill('proto == DNS and bytes > 300');
    await filter.press('Enter');
    await page.getByRole('row').filter({ hasText: 'UDP SIP' }).first().waitFor({ state: 'detached' });
    await page.getByRole('row').filter({ hasText: 'UDP DNS' }).first().getByRole('link').first().click();
    await page.getByText('flowpatrol keeps no packets').waitFor();
  });

  it('their hosts have bytes as clients and as servers', async () => {
    await goTo(page, program, 'hosts', 'Hosts');
    const cells = page.getByRole('row').filter({ hasText: '192.168.1.2' }).first().getByRole('cell');
    assert.match(await cells.nth(2).innerText(), /kB/);
    await page.getByRole('button', { name: 'As server' }).click();
    await page.getByRole('row').nth(1).filter({ hasText: '212.242.33.35' }).waitFor();
  });

  it('what lives is one click away', async () => {
    await page.getByRole('link', { name: 'Show live flows' }).click();
    await page.getByText('No flow lives now.').waitFor();
    await page.getByRole('link', { name: 'Show those of the history' }).click();
    await page.getByRole('note').waitFor();
  });

  it('the history draws all that matches, also with a filter', async () => {
    await goTo(page, program, 'history', 'History');
    await page.getByRole('img', { name: /Bytes over time; Bytes: max/ }).waitFor();
    await page.getByRole('combobox', { name: 'of', exact: true }).selectOption('flows');
    await page.getByRole('img', { name: /Flows over time; Flows: max/ }).waitFor();
  });

  it('the dashboard counts alerts by script, and says when and between whom the strongest were', async () => {
    await goTo(page, program, '', 'Dashboard');
    await page.getByRole('list', { name: 'Alerts by script' }).getByRole('link', { name: 'core' }).waitFor();
    await page
      .getByText(/192\.168\.1\.\d+ → 192\.168\.1\.255 · 2005-07-04 \d\d:\d\d/)
      .first()
      .waitFor();
  });
});
