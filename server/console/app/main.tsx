/** Entry point of the console: the sign-in page, or the page of the current path. */
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queries } from './data/queries.js';
import { router } from './routes.js';
import { useSession } from './session.js';
import { SignIn } from './shell/sign-in.js';

function Console() {
  const { key, ended } = useSession();
  // `key`: another API key remounts everything, so that no state of the previous operator remains.
  return key === null ? <SignIn ended={ended} /> : <RouterProvider key={key} router={router} />;
}

const root = document.getElementById('console');
if (root === null) throw new Error('the page has no element with the id "console"');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <Console />
    </QueryClientProvider>
  </StrictMode>,
);
