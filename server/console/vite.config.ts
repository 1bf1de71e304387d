/** Vite configuration of the console: one script and one style sheet, nothing inline, nothing from other origins. */
import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('app', import.meta.url)),
  base: '/console/',
  logLevel: 'warn',
  plugins: [react(), tailwindcss()],
  // For `npx vite --config server/console/vite.config.ts`: live reload with an API on port 8080.
  server: { host: '127.0.0.1', proxy: { '/v1': 'http://127.0.0.1:8080' } },
  build: {
    outDir: fileURLToPath(new URL('../../dist/console', import.meta.url)),
    emptyOutDir: true,
    // Browsers that support `light-dark()`, `<dialog>` and streamed responses.
    target: ['chrome125', 'firefox125', 'safari17.5'],
    // The Content-Security-Policy forbids inline content, except `data:` images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The console imports texts from domain/. The other imports of those files must not reach the browser.
    rolldownOptions: {
      treeshake: { moduleSideEffects: (id) => !/\/domain\/[^/]+\.ts$/u.test(id) },
    },
  },
});
