/** The page of the scripts, as the user's document has it: listed with a checkbox, switched, added while flowpatrol runs. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Locator, Page } from 'playwright-core';
import { type ExportedFlow, goTo, open, openWindow, PATIENCE_MS, type Program, portScript, ROOT, type Setting, signIn } from './support.ts';

const BROKEN = `
local check_module = { key = "broken", gui = { i18n_title = "Broken", i18n_description = "Fails", input_builder = alerts_api.flow_checkbox_input_builder } }
function check_module.setup() return true end
function check_module.protocolDetected(info)
  local nothing = nil
  return nothing.field
end
return check_module
`;

let port = 20_000;
/** New flows, so that protocolDetected is called for each. */
const flows = (count: number): ExportedFlow[] =>
  Array.from({ length: count }, () => ({ from: '10.0.0.5', to: '10.0.0.9', fromPort: port++, toPort: 23, tcp: true }));

describe('scripts', () => {
  let setting: Setting | undefined;
  let program: Program;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  before(async () => {
    setting = await open({
      'telnet.lua': portScript('telnet', 'Telnet in use', 23),
      'witness.lua': portScript('witness', 'Witness', 1),
      'broken.lua': BROKEN,
    });
    ({ program, browser } = setting);
    ({ page, complaints } = await openWindow(browser, program));
    await signIn(page);
  });
  after(() => setting?.close());

  const entry = (title: string): Locator => page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: title }) });
  const calls = async (title: string): Promise<number> => {
    const text = await entry(title).locator('dl > div', { hasText: 'Calls' }).locator('dd').innerText();
    return Number(text.replaceAll(',', ''));
  };
  /** Polls what the page shows: it looks every two seconds itself. */
  async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!(await holds())) {
      assert.ok(performance.now() < end, what);
      await page.waitForResponse((response) => response.url().includes('/api/v1/scripts'));
    }
  }

  it('lists title, description, file, language, callbacks and a checkbox that is on', async () => {
    await goTo(page, program, 'scripts', 'Scripts');
    const telnet = entry('Telnet in use');
    await telnet.getByText('Alerts about port 23').waitFor();
    await telnet.getByText('telnet.lua').waitFor();
    assert.match(await telnet.innerText(), /Lua/);
    assert.match(await telnet.innerText(), /Protocol detected/);
    assert.equal(await telnet.getByRole('checkbox', { name: 'on Telnet in use' }).isChecked(), true);
  });

  it('calls a script that is on, and no more when it is switched off', async () => {
    await program.export(flows(5));
    await until('the script was not called', async () => (await calls('Telnet in use')) >= 5);
    await entry('Telnet in use').getByRole('checkbox', { name: 'on Telnet in use' }).uncheck();
    await entry('Telnet in use').getByText('off', { exact: true }).waitFor();
    const before = await calls('Telnet in use');
    const other = await calls('Witness');

    await program.export(flows(7));
    // the other script is called about the same flows: when it was, this one would have been too
    await until('the flows did not come', async () => (await calls('Witness')) >= other + 7);
    assert.equal(await calls('Telnet in use'), before);

    await entry('Telnet in use').getByRole('checkbox', { name: 'on Telnet in use' }).check();
    await program.export(flows(3));
    await until('it is not called again', async () => (await calls('Telnet in use')) > before);
  });

  it('switches a script into shadow', async () => {
    await entry('Telnet in use').getByRole('checkbox', { name: 'shadow Telnet in use' }).check();
    await entry('Telnet in use')
      .locator('.chip', { hasText: /shadow/i })
      .waitFor();
    await entry('Telnet in use').getByRole('checkbox', { name: 'shadow Telnet in use' }).uncheck();
    await entry('Telnet in use').locator('.chip', { hasText: /^on$/ }).waitFor();
  });

  it('shows a new file by itself', async () => {
    writeFileSync(join(program.scripts, 'dns.lua'), portScript('dns', 'Names are asked for', 53));
    await entry('Names are asked for').waitFor();
  });

  it('counts failures by reason, and marks the line of the last one in the source', async () => {
    await entry('Broken')
      .getByText(/failed: by an error/)
      .waitFor();
    await entry('Broken').getByRole('link', { name: 'Broken', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Broken' }).waitFor();
    const marked = page.locator('li.marked');
    await marked.waitFor();
    assert.match(await marked.innerText(), /return nothing\.field/);
    assert.match(await marked.innerText(), /broken\.lua:6:/);
  });

  it('tries a script on a capture, and shows what it would raise', async () => {
    await goTo(page, program, 'scripts/dns', 'Names are asked for');
    await page.getByLabel('Capture').setInputFiles(join(ROOT, 'test/captures/demo.pcap'));
    await page
      .getByRole('status')
      .getByText(/It would raise [1-9]\d* alerts/)
      .waitFor();
    await page.getByRole('listitem').filter({ hasText: 'DNS' }).getByText('clear text').first().waitFor();
  });

  it('says why a new version was refused while the old one runs on', async () => {
    writeFileSync(join(program.scripts, 'telnet.lua'), 'local check_module = {\nreturn');
    await goTo(page, program, 'scripts', 'Scripts');
    await entry('Telnet in use').getByText('The newest version was refused').waitFor();
    await entry('Telnet in use')
      .getByText(/telnet\.lua:2:/)
      .waitFor();
    await page.getByRole('button', { name: 'In trouble: 2' }).click();
    await entry('Names are asked for').waitFor({ state: 'detached' });
    assert.deepEqual(complaints, []);
  });
});
