/** An alert from its arrival to its exclusion: live, why, flow and script, acknowledged, excluded with a preview, told no more. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { goTo, open, openWindow, type Program, portScript, type Setting, signIn } from './support.ts';

/** Mail is an error, news are a warning. */
const TWO_SEVERITIES = portScript('mail', 'Mail and news', 25)
  .replace('== 25 then', '== 25 or info["srv.port"] == 119 then')
  .replace('alert_consts.alert_severities.warning', 'alert_consts.alert_severities[info["srv.port"] == 25 and "error" or "warning"]');

describe('alerts', () => {
  let setting: Setting | undefined;
  let program: Program;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let port = 30_000;
  before(async () => {
    setting = await open({
      ...{ 'telnet.lua': portScript('telnet', 'Telnet in use', 23), 'ftp.lua': portScript('ftp', 'FTP in use', 21) },
      'mail.lua': TWO_SEVERITIES,
    });
    ({ program, browser } = setting);
    ({ page, complaints } = await openWindow(browser, program));
    await signIn(page);
  });
  after(() => setting?.close());

  const send = (from: string, toPort: number): Promise<void> =>
    program.export([{ from, to: '10.0.0.9', fromPort: port++, toPort, tcp: true }]);
  const row = (client: string) => page.getByRole('listitem').filter({ hasText: `${client}:` });

  it('come by themselves, and say why first', async () => {
    await goTo(page, program, 'alerts', 'Alerts');
    await page.getByText('No alerts.').waitFor();
    await send('10.0.0.1', 23);
    await row('10.0.0.1').waitFor();
    const text = await row('10.0.0.1').innerText();
    assert.match(text, /why\s*clear text/);
    assert.match(text, /telnet/);
    assert.match(text, /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d CET|CEST/);
  });

  it('are counted in the navigation while another page is looked at', async () => {
    await page.getByRole('link', { name: 'Scripts', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Scripts' }).waitFor();
    await send('10.0.0.2', 21);
    await page.getByRole('link', { name: /Alerts 1 new alert/ }).click();
    await row('10.0.0.2').waitFor();
    await page.getByRole('link', { name: 'Alerts', exact: true }).waitFor();
  });

  it('are filtered, and a wrong filter says where it is wrong', async () => {
    const filter = page.getByRole('combobox', { name: 'Filter' });
    await filter.fill('script == ftp');
    await filter.press('Enter');
    await row('10.0.0.1').waitFor({ state: 'detached' });
    await row('10.0.0.2').waitFor();
    assert.match(page.url(), /filter=script/);
    await filter.fill('script === ftp');
    await filter.press('Enter');
    await page.getByRole('alert').first().waitFor();
    assert.equal(await page.locator('mark').count(), 1);
    await page.getByRole('button', { name: 'Clear the filter' }).click();
    await row('10.0.0.1').waitFor();
  });

  it('are counted in groups, the largest or the newest first, each of which opens into its alerts, by keyboard too', async () => {
    await page.getByLabel('Group by').selectOption('script');
    const groups = page.getByRole('region', { name: 'Groups of alerts' }).getByRole('row');
    await groups.filter({ hasText: 'telnet' }).waitFor();
    assert.match(await groups.filter({ hasText: 'ftp' }).innerText(), /ftp\s+1\s+1\s*Warning\s+\d+\s+\d{4}-\d\d-\d\d/);
    await page.getByText('2 groups').waitFor();
    await page.getByRole('button', { name: 'Last' }).press('Enter');
    await page.getByRole('columnheader', { name: 'Last' }).and(page.locator('[aria-sort=descending]')).waitFor();
    assert.match(page.url(), /sort=lastTime/);
    await groups.nth(1).getByRole('link', { name: 'ftp' }).waitFor(); // it came last
    await page.getByLabel('State').selectOption('closed');
    await page.getByText('No alert matches.').waitFor();
    await page.getByLabel('State').selectOption('');
    await groups.getByRole('link', { name: 'telnet' }).press('Enter');
    await row('10.0.0.1').waitFor();
    assert.equal(await row('10.0.0.2').count(), 0);
    assert.equal(await page.getByRole('combobox', { name: 'Filter' }).inputValue(), 'script == telnet');
    await page.goBack();
    await groups.filter({ hasText: 'ftp' }).waitFor();
    await page.getByLabel('Group by').selectOption('none');
    await row('10.0.0.2').waitFor();
  });

  it('lead to their page, their flow and their script', async () => {
    await row('10.0.0.1').getByRole('link', { name: 'Potentially Dangerous Protocol' }).click();
    await page.getByRole('heading', { level: 2, name: 'Why' }).waitFor();
    const alert = page.url();
    await page.getByRole('link', { name: 'telnet' }).click();
    await page.getByRole('heading', { level: 1, name: 'Telnet in use' }).waitFor();
    await page.goto(alert);
    await page.locator('dd a.mono').click();
    await page.getByRole('heading', { level: 1, name: /10\.0\.0\.1 → 10\.0\.0\.9/ }).waitFor();
    // flows with an alert are traced: what the scripts did is told
    await page.getByRole('link', { name: 'telnet: called, 1 alert' }).waitFor();
  });

  it('are acknowledged, several at once, with a comment', async () => {
    await goTo(page, program, 'alerts', 'Alerts');
    await page.getByLabel('Select all').check();
    await page.getByLabel('Comment').fill('known since Monday');
    await page.getByRole('button', { name: 'Acknowledge' }).first().click();
    await row('10.0.0.1').getByText('acknowledged: admin').waitFor();
    await row('10.0.0.2').getByText('known since Monday').waitFor();
    await page.getByLabel('State').selectOption('new');
    await page.getByText('No alert matches.').waitFor();
    await page.getByLabel('State').selectOption('');
  });

  it('are excluded by a line that is already there, after a preview, and then are told no more', async () => {
    await row('10.0.0.1').getByRole('button', { name: 'Exclude …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Do not show this again' });
    await dialog.getByText('It would have hidden 1 of 2 alerts in 7 days.').waitFor();
    await dialog.getByLabel('this client').check();
    assert.match(await dialog.getByRole('combobox').inputValue(), /client == 10\.0\.0\.1/);
    await dialog.getByLabel('Comment').fill('the old printer');
    await dialog.getByRole('button', { name: 'Exclude', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });

    await send('10.0.0.1', 23);
    await send('10.0.0.3', 23);
    await row('10.0.0.3').waitFor();
    // by the time of the second one the first would be there
    assert.equal(await row('10.0.0.1').count(), 1);
    assert.equal(await row('10.0.0.1').getByTitle('so many alike').count(), 0);
    await page.getByRole('link', { name: 'Exclusions' }).first().click();
    const excluded = page.getByRole('row').filter({ hasText: 'the old printer' });
    await excluded.getByText('1', { exact: true }).waitFor();
    // another comment: the form has what is stored, and asks before it is left with something that is not
    await excluded.getByRole('button', { name: /Edit/ }).click();
    const form = page.getByRole('dialog', { name: 'Change the exclusion' });
    assert.match(await form.getByRole('combobox').inputValue(), /client == 10\.0\.0\.1/);
    await form.getByLabel('Comment').fill('the new printer');
    await form.getByRole('button', { name: 'Cancel' }).click();
    await form.getByText('What was changed here is not stored.').waitFor();
    await form.getByRole('button', { name: 'Go on editing' }).click();
    await form.getByRole('button', { name: 'Store' }).click();
    await form.waitFor({ state: 'detached' });
    const changed = page.getByRole('row').filter({ hasText: 'the new printer' });
    await changed.getByText('1', { exact: true }).waitFor();
    await changed.getByRole('button', { name: /Remove/ }).click();
    const question = page.getByRole('dialog', { name: 'Remove this exclusion?' });
    await question.getByRole('button', { name: 'Cancel' }).click();
    await changed.waitFor();
    await changed.getByRole('button', { name: /Remove/ }).click();
    await question.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('No exclusions.').waitFor();
  });

  it('of scripts are on the dashboard, stacked by severity, in words and in colours that differ, light and dark', async () => {
    await goTo(page, program, 'alerts', 'Alerts');
    await send('10.0.0.7', 25);
    await send('10.0.0.8', 119);
    await send('10.0.0.10', 119);
    for (const client of ['10.0.0.7', '10.0.0.8', '10.0.0.10']) await row(client).waitFor();
    await goTo(page, program, '', 'Dashboard');
    const mail = page.getByRole('list', { name: 'Alerts by script' }).getByRole('listitem').filter({ hasText: 'Mail and news' });
    await mail.waitFor();
    assert.match(await mail.innerText(), /1\s*Error\s*2\s*Warning\s*3/);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const parts = await page.evaluate<[string, number][]>(`(() => {
        const all = [...document.querySelectorAll('[aria-label="Alerts by script"] li')];
        const bar = all.find((each) => each.textContent.includes('Mail and news')).querySelector('.bar');
        return [...bar.children].map((part) => [getComputedStyle(part).backgroundColor, part.getBoundingClientRect().width]);
      })()`);
      assert.equal(new Set(parts.map(([colour]) => colour)).size, 2, colorScheme);
      const [error, warning] = parts as [[string, number], [string, number]];
      assert.ok(Math.abs(warning[1] / error[1] - 2) < 0.1, `${error[1]} ${warning[1]}`);
    }
    await mail.getByRole('link').click();
    await row('10.0.0.7').waitFor();
    assert.equal(await row('10.0.0.1').count(), 0);
  });

  it('make the browser complain of nothing but what was refused', () => {
    assert.deepEqual(
      complaints.filter((text) => !text.includes('400')),
      [],
    );
  });
});
