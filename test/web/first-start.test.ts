/** The first start and signing in; language and colours; out again. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { open, openWindow, type Program, type Setting, signIn } from './support.ts';

describe('first start', () => {
  let setting: Setting | undefined;
  let program: Program;
  let browser: Browser;
  before(async () => {
    setting = await open({}, [], 'printed');
    ({ program, browser } = setting);
  });
  after(() => setting?.close());

  const printed = (): string => /password (\S+)/.exec(program.output())?.[1] ?? '';

  it('lets the user in with the password that was printed, and nobody with another one', async () => {
    const { page, complaints } = await openWindow(browser, program);
    await page.getByText('Here for the first time?').click();
    await page.getByText('prints a password, once').waitFor();
    await page.getByLabel('Password').fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('Name and password do not fit.').waitFor();
    assert.equal(await page.getByLabel('Password').inputValue(), '');

    assert.notEqual(printed(), '');
    await signIn(page, printed());
    await page.getByRole('heading', { level: 1, name: 'Dashboard' }).waitFor();
    await page.getByRole('status').getByText('live').waitFor();
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  it('stays signed in after a reload, and not after signing out', async () => {
    const { page } = await openWindow(browser, program);
    await signIn(page, printed());
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Dashboard' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Password').waitFor();
    await page.reload();
    await page.getByLabel('Password').waitFor();
    await page.context().close();
  });

  it('speaks English, Italian and German, keeps the choice, and says which language it is', async () => {
    const { page } = await openWindow(browser, program, { locale: 'de-AT' });
    await page.getByLabel('Passwort').waitFor();
    await page.getByLabel('Passwort').fill(printed());
    await page.getByRole('button', { name: 'Anmelden' }).click();
    await page.getByRole('heading', { level: 1, name: 'Übersicht' }).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'de');
    await page.getByLabel('Sprache').selectOption('it');
    await page.getByRole('heading', { level: 1, name: 'Panoramica' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Panoramica' }).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'it');
    await page.context().close();
  });

  it('is light or dark as the system is, or as is chosen', async () => {
    const { page } = await openWindow(browser, program, { colorScheme: 'dark' });
    await signIn(page, printed());
    const background = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const dark = await background();
    await page.emulateMedia({ colorScheme: 'light' });
    const light = await background();
    assert.notEqual(dark, light);
    await page.getByLabel('Colours').selectOption('dark');
    assert.equal(await background(), dark);
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Dashboard' }).waitFor();
    assert.equal(await background(), dark);
    await page.context().close();
  });

  it('says that nobody answers, and goes on by itself when somebody does', async () => {
    const { page } = await openWindow(browser, program);
    await signIn(page, printed());
    await page.getByRole('status').getByText('live').waitFor();
    await program.end();
    await page.getByRole('alert').getByText('flowpatrol does not answer.').first().waitFor();
    await page.getByRole('status').getByText('offline').waitFor();
    await program.again();
    await page.getByRole('status').getByText('live').waitFor();
    await page.getByRole('link', { name: 'Scripts', exact: true }).click();
    await page.getByText('No scripts.').waitFor();
    await page.context().close();
  });
});
