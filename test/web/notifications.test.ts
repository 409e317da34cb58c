/** Notifications: one is added, changed, tried with an alert; what its receiver refuses is listed, sent again and thrown away. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { goTo, open, openWindow, type Program, portScript, type Setting, signIn } from './support.ts';

describe('notifications', () => {
  let setting: Setting | undefined;
  let program: Program;
  let browser: Browser;
  let page: Page;
  let receiver: Server;
  /** What it answers. */
  let status = 200;
  const received: string[] = [];
  before(async () => {
    receiver = createServer(async (request, response) => {
      let body = '';
      for await (const part of request) body += part;
      received.push(body);
      response.writeHead(status).end();
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    setting = await open({ 'telnet.lua': portScript('telnet', 'Telnet in use', 23) });
    ({ program, browser } = setting);
    ({ page } = await openWindow(browser, program));
    await signIn(page);
  });
  after(async () => {
    receiver.close();
    await setting?.close();
  });
  const address = (): string => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  const send = (from: string): Promise<void> => program.export([{ from, to: '10.0.0.9', fromPort: 40_000, toPort: 23, tcp: true }]);

  it('one is added by a form that names what it wants, and asks before it is left', async () => {
    await goTo(page, program, 'notifications', 'Notifications');
    await page.getByText('Alerts are sent to nobody yet.').waitFor();
    await page.getByRole('button', { name: 'Add a notification' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add a notification' });
    await dialog.getByLabel('Name').fill('on call');
    await page.keyboard.press('Escape');
    await dialog.getByText('What was changed here is not stored.').waitFor();
    await dialog.getByRole('button', { name: 'Go on editing' }).click();
    await dialog.getByLabel(/^Address/).fill(address());
    await dialog.getByLabel(/^Secret/).fill('a secret');
    await dialog.getByRole('button', { name: 'Add a notification' }).click();
    await page.getByRole('heading', { level: 2, name: 'on call' }).waitFor();
    await page.getByRole('status').getByText('on call is stored.').waitFor();
  });

  it('is changed; its secret stays and is not shown', async () => {
    await page.getByRole('button', { name: 'Edit … on call' }).click();
    const dialog = page.getByRole('dialog', { name: 'Change on call' });
    assert.equal(await dialog.getByLabel(/^Address/).inputValue(), address());
    assert.equal(await dialog.getByLabel(/^Secret/).inputValue(), '');
    await dialog.getByLabel('Name').fill('night shift');
    const filter = dialog.getByRole('combobox', { name: 'Which alerts' });
    await filter.fill('script == telnet');
    await filter.press('Enter');
    await dialog.getByRole('button', { name: 'Store' }).click();
    await page.getByRole('heading', { level: 2, name: 'night shift' }).waitFor();
    await page.getByText('script == telnet').waitFor();
    assert.equal(await page.getByText('…', { exact: true }).count(), 1); // of the secret that is there
  });

  it('loses its stored secret when that is wanted, and only then', async () => {
    await page.getByRole('button', { name: 'Edit … night shift' }).click();
    const dialog = page.getByRole('dialog', { name: 'Change night shift' });
    await dialog.getByLabel('Remove what is stored: Secret').check();
    assert.equal(await dialog.getByLabel(/Remove what is stored/).count(), 1); // neither of what must be there, nor of what is not
    assert.ok(await dialog.getByLabel(/^Secret/).isDisabled());
    await dialog.getByRole('button', { name: 'Store' }).click();
    await page.getByText('…', { exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Edit … night shift' }).click();
    await dialog.getByLabel(/^Secret/).waitFor();
    assert.equal(await dialog.getByLabel(/Remove what is stored/).count(), 0);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  it('an alert is sent as a test from its page', async () => {
    await send('10.0.0.1');
    await goTo(page, program, 'alerts', 'Alerts');
    await page.getByRole('link', { name: 'Potentially Dangerous Protocol' }).first().click();
    await page.getByRole('button', { name: 'Send as a test' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Send night shift' }).click();
    await page
      .getByRole('dialog')
      .getByText(/night shift: delivered in \d+ ms/)
      .waitFor();
    assert.match(received.at(-1) ?? '', /10\.0\.0\.1/);
    await page.keyboard.press('Escape');
  });

  it('what is refused for good is listed with its reason, sent again, thrown away after a question', async () => {
    status = 410;
    await send('10.0.0.2');
    await goTo(page, program, 'notifications', 'Notifications');
    const refused = page.getByRole('region', { name: 'Not delivered' }).getByRole('row').filter({ hasText: '410' });
    await refused.first().getByText('night shift').waitFor();
    status = 200;
    await refused.first().getByRole('button', { name: 'Send again' }).click();
    await page.getByText('1 alert is on its way again.').waitFor();
    await page.getByText('Everything was delivered').waitFor();
    status = 410;
    await send('10.0.0.3');
    await refused.first().waitFor();
    await page.getByLabel('Select all').check();
    await page.getByRole('button', { name: 'Throw away', exact: true }).click();
    await page.getByRole('dialog', { name: 'Throw away' }).getByRole('button', { name: 'Throw away' }).click();
    await page.getByText('Everything was delivered').waitFor();
  });

  it('is removed after a question', async () => {
    await page.getByRole('button', { name: 'Remove night shift' }).click();
    const question = page.getByRole('dialog', { name: 'Remove night shift?' });
    await question.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('heading', { level: 2, name: 'night shift' }).waitFor();
    await page.getByRole('button', { name: 'Remove night shift' }).click();
    await question.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Alerts are sent to nobody yet.').waitFor();
  });
});
