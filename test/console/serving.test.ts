/** Serving of the console: small files, caching, a strict Content-Security-Policy, and only below `/console/`. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fastify from 'fastify';
import { afterAll, describe, expect, it } from 'vitest';
import { consoleFolder, serveConsole } from '../../server/api/console.js';
import { answerProblems } from '../../server/api/problems.js';
import { createLog } from '../../settings/log.js';

const MOST_SCRIPT = 140_000;

const folder = await consoleFolder('.data');
const app = fastify();
answerProblems(app, createLog({ role: 'api', to: { write: () => undefined } }));
await serveConsole(app, { folder, temporalUi: 'https://temporal.example', namespace: 'refunds' });
afterAll(() => app.close());

const assets = await readdir(join(folder, 'assets'));
const script = assets.find((name) => name.endsWith('.js')) ?? '';
const get = (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers });

describe('the console’s files', () => {
  it('are one script below 140 kB compressed, one style sheet and an icon', async () => {
    expect(assets.filter((name) => /\.(js|css|svg)$/u.test(name))).toHaveLength(3);
    const content = await readFile(join(folder, 'assets', script));
    expect(gzipSync(content, { level: 9 }).length).toBeLessThan(MOST_SCRIPT);
  });

  it('contain nothing inline and no other origin', async () => {
    const page = await readFile(join(folder, 'index.html'), 'utf8');
    expect(page).not.toMatch(/<style|style=|<script(?![^>]*\ssrc="\/console\/assets\/)/u);
    expect(page.match(/(src|href)="(?!\/console\/)/gu)).toBeNull();
    const styles = assets.filter((name) => name.endsWith('.css'));
    for (const name of styles)
      expect(await readFile(join(folder, 'assets', name), 'utf8')).not.toMatch(
        /url\((?!["']?data:)|@import/u,
      );
  });

  it('are cached forever if their name contains a hash, and revalidated otherwise', async () => {
    const [page, file] = [await get('/console/'), await get(`/console/assets/${script}`)];
    expect(page.headers['cache-control']).toBe('no-cache');
    expect(file.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  });

  it.each(['br', 'gzip'])('are served as %s to clients that accept it', async (encoding) => {
    const file = await get(`/console/assets/${script}`, { 'accept-encoding': encoding });
    expect(file.headers).toMatchObject({ 'content-encoding': encoding, vary: 'accept-encoding' });
    expect(file.rawPayload.length).toBeLessThan(MOST_SCRIPT);
  });
});

describe('the policy', () => {
  it.each(['/console/', '/console/refunds/1', '/console/config.json', '/console/assets/none.js'])(
    'of %s allows this origin only and nothing inline',
    async (url) => {
      const policy = String((await get(url)).headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).toContain("style-src 'self';");
      expect(policy).toContain("connect-src 'self';");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy).not.toMatch(/unsafe|\*|https?:/u);
    },
  );
});

describe('a path below /console/', () => {
  it.each(['/console/', '/console/refunds', '/console/refunds/0192-1?a=b.c', '/console/search?q=x'])(
    'serves the console: %s',
    async (url) => {
      const answer = await get(url);
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['content-type']).toContain('text/html');
    },
  );

  it.each([
    '/console/assets/none.js',
    '/console/favicon.ico',
    '/console/../package.json',
    '/console/%2e%2e/%2e%2e/package.json',
    '/elsewhere',
  ])('gets a 404 problem if it is no page: %s', async (url) => {
    const answer = await get(url);
    expect(answer.statusCode).toBe(404);
    expect(answer.headers['content-type']).toContain('application/problem+json');
  });

  it('redirects /console to /console/', async () => {
    expect(await get('/console')).toMatchObject({ statusCode: 308, headers: { location: '/console/' } });
  });

  it('accepts no POST', async () => {
    const answer = await app.inject({ method: 'POST', url: '/console/refunds', payload: {} });
    expect(answer.statusCode).toBe(404);
  });

  it('has the address of the Temporal UI and no secret in config.json', async () => {
    const answer = await get('/console/config.json');
    expect(answer.json()).toEqual({ temporalUi: 'https://temporal.example', namespace: 'refunds' });
  });
});
