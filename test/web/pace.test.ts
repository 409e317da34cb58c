/** A capture while it is read: how far it is, paused, faster. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { goTo, open, openWindow, PASSWORD, type Program, type Setting, signIn } from './support.ts';

describe('a capture that is being read', () => {
  let setting: Setting | undefined;
  let program: Program;
  let browser: Browser;
  let page: Page;
  before(async () => {
    // 26 minutes of traffic
    setting = await open({}, ['-i', 'test/captures/demo.pcap', '--pcap-callbacks', 'all', '--speed', '5'], PASSWORD, false);
    ({ program, browser } = setting);
    ({ page } = await openWindow(browser, program));
    await signIn(page);
    await goTo(page, program, 'interfaces', 'Interfaces');
  });
  after(() => setting?.close());

  const part = (): Promise<number> => page.getByRole('progressbar').evaluate((bar) => (bar as unknown as { value: number }).value);
  const looked = () => page.waitForResponse((response) => response.url().endsWith('/api/v1/interfaces'));

  it('says how far it is, everywhere', async () => {
    await page.getByRole('status').getByText('test/captures/demo.pcap is being read').waitFor();
    await page.getByRole('progressbar').waitFor();
    assert.equal(await page.getByLabel('Speed').inputValue(), '5');
  });

  it('is paused, and then nothing comes', async () => {
    await page.getByRole('button', { name: 'Pause test/captures/demo.pcap' }).click();
    await page.getByText('paused', { exact: true }).waitFor();
    await looked();
    const before = await part();
    await looked();
    await looked();
    assert.equal(await part(), before);
    assert.ok(before < 1);
  });

  it('goes on, as fast as possible, to its end', async () => {
    await page.getByLabel('Speed').selectOption('0');
    await page.getByRole('button', { name: 'Go on test/captures/demo.pcap' }).click();
    await page.getByText('ended', { exact: true }).waitFor();
  });
});
