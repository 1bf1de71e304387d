/** How the console becomes a few static files: one script, one style sheet, nothing inline, nothing from elsewhere. */
import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('app', import.meta.url)),
  base: '/console/',
  logLevel: 'warn',
  plugins: [react(), tailwindcss()],
  // `npx vite --config server/console/vite.config.ts` shows changes at once, against an API that runs beside it.
  server: { host: '127.0.0.1', proxy: { '/v1': 'http://127.0.0.1:8080' } },
  build: {
    outDir: fileURLToPath(new URL('../../dist/console', import.meta.url)),
    emptyOutDir: true,
    // Browsers that have `light-dark()`, `<dialog>` and streamed answers.
    target: ['chrome125', 'firefox125', 'safari17.5'],
    // The policy forbids what is inline, data: excepted for images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The console takes a few tables of texts from domain/; what else those files import is not for a browser.
    rolldownOptions: {
      treeshake: { moduleSideEffects: (id) => !/\/domain\/[^/]+\.ts$/u.test(id) },
    },
  },
});
