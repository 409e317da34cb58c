/** A capture is uploaded: it becomes an interface of its own, and its flows and alerts are there in its own time. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { goTo, open, openWindow, type Program, type Setting, signIn } from './support.ts';

const CAPTURE = fileURLToPath(new URL('../captures/demo.pcap', import.meta.url));
const NO_CAPTURE = fileURLToPath(import.meta.url);

describe('uploads', () => {
  let setting: Setting | undefined;
  let program: Program;
  let browser: Browser;
  let page: Page;
  before(async () => {
    setting = await open({});
    ({ program, browser } = setting);
    ({ page } = await openWindow(browser, program));
    await signIn(page);
    await goTo(page, program, 'uploads', 'Uploads');
  });
  after(() => setting?.close());

  it('a capture is read, and its flows are there', async () => {
    await page.getByText('Nothing was uploaded yet.').waitFor();
    await page.getByText(/at most [\d.]+ [MG]iB/).waitFor();
    await page.getByLabel(/Drop captures here/).setInputFiles(CAPTURE);
    const row = page.getByRole('row').filter({ hasText: 'demo.pcap' });
    await row.getByText('done').waitFor();
    assert.match(await row.innerText(), /2005-07-04/);
    await row.getByRole('button', { name: 'Flows' }).click();
    await page.getByRole('heading', { level: 1, name: 'History' }).waitFor();
    await page.getByRole('row').filter({ hasText: 'SIP' }).first().waitFor();
    assert.match(await page.getByLabel('Interface').locator('option:checked').innerText(), /demo\.pcap/);
  });

  it('its flows and hosts come from the history, as nothing of it lives, with a way to what lives', async () => {
    await page.getByRole('link', { name: 'Flows', exact: true }).first().click();
    await page.getByRole('note').getByText('no flow lives now').waitFor();
    await page.getByRole('row').filter({ hasText: 'SIP' }).first().waitFor();
    await page.getByRole('link', { name: 'Hosts' }).click();
    await page.getByRole('note').getByText('no flow lives now').waitFor();
    await page.getByRole('row').filter({ hasText: '192.168.1.2' }).first().waitFor();
    await page.getByRole('link', { name: 'Show live flows' }).click();
    await page.getByText('No flow lives now.').waitFor();
  });

  it('the dashboard shows the traffic in the time of the capture', async () => {
    await page.getByRole('link', { name: 'Dashboard' }).click();
    await page.getByText(/2005-07-04 .* – 2005-07-04/).waitFor();
    await page.getByRole('list', { name: 'Protocols' }).getByText('SIP').waitFor();
    await page.getByRole('img', { name: /Traffic; Bytes: max/ }).waitFor();
  });

  it('what is no capture is said to be none', async () => {
    await goTo(page, program, 'uploads', 'Uploads');
    await page.getByLabel(/Drop captures here/).setInputFiles(NO_CAPTURE);
    await page.getByRole('row').filter({ hasText: 'uploads.test.ts' }).getByText('failed').waitFor();
  });

  it('an upload is removed with its interface', async () => {
    await page.getByRole('button', { name: 'Remove demo.pcap' }).click();
    await page.getByRole('dialog', { name: 'Remove demo.pcap?' }).getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('row').filter({ hasText: 'demo.pcap' }).waitFor({ state: 'detached' });
  });
});
