// node check.mjs REPORT.html OUT: opens the report as a reader would, from the disk, in Chromium.
//
// Fails on a message of error in the console, on any request but the file itself, on a page without a heading, and
// on an accessibility fault that axe-core calls serious or critical, in light and in dark. Leaves in OUT:
// report.png (the first screen), report-full.png, report-dark.png and report.pdf.

import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [file, out] = process.argv.slice(2);
if (!file || !out) {
  console.error('usage: node check.mjs REPORT.html OUT');
  process.exit(2);
}
const url = pathToFileURL(resolve(file)).href;
const viewport = { width: 1280, height: 1600 };
const faults = [];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', // CI runs as root; the page is our own
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
try {
  await asWritten();
  for (const colorScheme of ['light', 'dark']) {
    await accessible(colorScheme);
  }
} finally {
  await browser.close();
}

for (const fault of faults) {
  console.log(`fault: ${fault}`);
}
console.log(faults.length === 0 ? 'the page is as it should be' : `${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;

/** With its own content security policy in force. */
async function asWritten() {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  let requests = 0;
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`script: ${error.message}`));
  page.on('request', (request) => {
    requests += 1;
    if (request.url() !== url) faults.push(`request: ${request.method()} ${request.url()}`);
  });
  await page.goto(url, { waitUntil: 'load' });
  await page.waitForTimeout(500); // what a page starts late is a request too
  const title = await page.title();
  const headings = await page.locator('h1').allInnerTexts();
  if (title.trim() === '') faults.push('the page has no title');
  if (headings.length !== 1) faults.push(`the page has ${headings.length} headings of the first rank`);
  const scripts = await page.locator('script').count();
  if (scripts > 0) faults.push(`the page holds ${scripts} scripts`);
  await page.screenshot({ path: `${out}/report.png` });
  await page.screenshot({ path: `${out}/report-full.png`, fullPage: true });
  await page.pdf({ path: `${out}/report.pdf`, format: 'A4', printBackground: true });
  console.log(`"${title}": ${requests} request, the file itself`);
  await context.close();
}

/** Without it, because the policy keeps out axe-core too. */
async function accessible(colorScheme) {
  const context = await browser.newContext({ viewport, colorScheme, bypassCSP: true });
  const page = await context.newPage();
  await page.goto(url, { waitUntil: 'load' });
  if (colorScheme === 'dark') await page.screenshot({ path: `${out}/report-dark.png` });
  await page.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') });
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document));
  for (const { id, impact, help, nodes } of violations) {
    const where = nodes.slice(0, 5).map((node) => node.target.join(' ')).join('; ');
    const line = `accessibility, ${colorScheme}: ${impact}: ${id}: ${help} (${nodes.length}: ${where})`;
    if (impact === 'serious' || impact === 'critical') faults.push(line);
    else console.log(line);
  }
  console.log(`accessibility, ${colorScheme}: ${passes.length} rules passed, ${violations.length} not`);
  if (passes.length === 0) faults.push(`axe-core looked at nothing in ${colorScheme}`);
  await context.close();
}
