/** Where the console begins: who is here, and then the page that the address names. */
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
  // Another key is another person: nothing that one has seen is there for the next.
  return key === null ? <SignIn ended={ended} /> : <RouterProvider key={key} router={router} />;
}

const root = document.getElementById('console');
if (root === null) throw new Error('the page has no place for the console');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <Console />
    </QueryClientProvider>
  </StrictMode>,
);
