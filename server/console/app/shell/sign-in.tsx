/** The door: a key or a token, tried at the service before it is kept for this tab. */
import { useId, useState } from 'react';
import { ApiProblem, request } from '../data/request.js';
import { queries } from '../data/queries.js';
import type { Me } from '../data/shapes.js';
import { Button, FIELD } from '../parts/basics.js';
import { signIn } from '../session.js';

export function SignIn({ ended }: { readonly ended: string | null }) {
  const [key, setKey] = useState('');
  const [refused, setRefused] = useState<string | null>(null);
  const [trying, setTrying] = useState(false);
  const id = useId();

  async function enter(): Promise<void> {
    const text = key.trim();
    if (text === '') {
      setRefused('Paste a key first.');
      return;
    }
    setTrying(true);
    try {
      const me = await request<Me>('/v1/me', { key: text });
      queries.clear();
      queries.setQueryData(['/v1/me'], me);
      signIn(text);
    } catch (error) {
      setRefused(
        error instanceof ApiProblem && error.status === 401
          ? 'The service does not know this key, or it was revoked or has expired.'
          : error instanceof Error
            ? error.message
            : 'Signing in failed.',
      );
      setTrying(false);
    }
  }

  return (
    <main className="mx-auto flex min-h-dvh max-w-sm flex-col justify-center px-4 py-10">
      <h1 className="text-2xl font-semibold tracking-tight">Refunds</h1>
      <p className="mt-1 text-quiet">What needs a person, and what became of it.</p>
      <form
        className="mt-6 rounded-lg border border-line bg-panel p-5"
        onSubmit={(event) => {
          event.preventDefault();
          void enter();
        }}
      >
        <label htmlFor={id} className="block text-sm font-medium">
          API key or token
        </label>
        <input
          id={id}
          type="password"
          autoComplete="off"
          autoFocus
          spellCheck={false}
          value={key}
          onChange={(event) => setKey(event.target.value)}
          aria-invalid={refused !== null}
          aria-describedby={`${id}-note`}
          className={`mt-1.5 font-mono ${FIELD}`}
        />
        <div id={`${id}-note`} className="mt-2 text-sm">
          {refused !== null || ended !== null ? (
            <p role="alert" className="text-bad">
              {refused ?? ended}
            </p>
          ) : (
            <p className="text-quiet">Kept in this tab until you close it or sign out.</p>
          )}
        </div>
        <Button look="primary" type="submit" disabled={trying} className="mt-4 w-full">
          {trying ? 'Signing in…' : 'Sign in'}
        </Button>
      </form>
    </main>
  );
}
