/** Fills in the pages of the console that take cards, and looks for card data in the browser. */
import type { Locator, Page, Request } from 'playwright-core';

/** A test card of the gateway. */
export const NUMBER = '4200000000000000';
const CVV = '917';
export const CARD: Readonly<Record<string, string>> = {
  Number: '4200 0000 0000 0000',
  Holder: 'Quentin Zephyr',
  Month: '5',
  Year: '2034',
  CVV,
};

/** Finds a field by its label. Labels of optional fields end with `(optional)`. */
export const fieldOf = (page: Page, label: string): Locator =>
  page.getByLabel(new RegExp(`^${label}(\\s*\\(optional\\))?$`, 'u'));

export async function openCreditPage(
  page: Page,
  values: Readonly<Record<string, string>> = {},
): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name: 'New credit' }).click();
  await page.getByRole('heading', { name: 'New credit' }).waitFor();
  const all = { Amount: '12.30', Currency: 'eur', Reason: 'goodwill', ...values };
  for (const [label, text] of Object.entries(all)) await fieldOf(page, label).fill(text);
}

/** Chooses a new card and types it. */
export async function typeCard(
  page: Page,
  values: Readonly<Record<string, string>> = CARD,
  brand = 'VISA',
): Promise<void> {
  await page.getByRole('radio', { name: 'New card' }).check();
  for (const [label, text] of Object.entries(values)) await fieldOf(page, label).fill(text);
  await page.getByLabel('Brand').selectOption(brand);
}

export async function sealCard(page: Page): Promise<void> {
  await typeCard(page);
  await page.getByRole('button', { name: 'Seal card' }).click();
  await page.getByText('VISA …0000 is sealed.').waitFor();
}

/** Collects the requests of a page whose body holds the number or the CVV of the card, as `POST /v1/cards`. */
export function watchRequests(page: Page): readonly string[] {
  const seen: string[] = [];
  page.on('request', (request: Request) => {
    const sent = `${request.url()} ${JSON.stringify(request.headers())} ${request.postData() ?? ''}`;
    if (sent.includes(NUMBER) || sent.includes(`"${CVV}"`))
      seen.push(`${request.method()} ${new URL(request.url()).pathname}`);
  });
  return seen;
}

/** Returns everything that a page shows and keeps: markup, values of fields, history, storage, cookies. */
export const keptBy = (page: Page): Promise<unknown> =>
  page.evaluate(`(async () => JSON.stringify({
    markup: document.documentElement.outerHTML,
    values: [...document.querySelectorAll('input, select, textarea')].map((field) => field.value),
    history: [history.state, location.href, document.title, document.referrer],
    session: { ...sessionStorage },
    local: { ...localStorage },
    cookies: document.cookie,
    databases: await indexedDB.databases(),
    caches: await caches.keys(),
  }))()`);

/** Returns text without what separates digits, so that a grouped number is found. */
export const digitsOf = (text: unknown): string => String(text).replaceAll(/[\s\-\u202f]/gu, '');
