/** Sign-in page. It checks the key or token with the API before it stores it for this tab. */
import { useId, useState } from 'react';
import { ApiProblem, request } from '../data/request.js';
import { queries } from '../data/queries.js';
import type { Me } from '../data/shapes.js';
import { Button, FIELD } from '../parts/basics.js';
import { signIn } from '../session.js';

export function SignIn({ ended }: { readonly ended: string | null }) {
  const [key, setKey] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [pending, setPending] = useState(false);
  const id = useId();

  async function submit(): Promise<void> {
    const text = key.trim();
    if (text === '') {
      setProblem('Enter an API key or token.');
      return;
    }
    setPending(true);
    try {
      const me = await request<Me>('/v1/me', { key: text });
      queries.clear();
      queries.setQueryData(['/v1/me'], me);
      signIn(text);
    } catch (error) {
      setProblem(
        error instanceof ApiProblem && error.status === 401
          ? 'This key is not valid. It may have been revoked or have expired.'
          : error instanceof Error
            ? error.message
            : 'Sign-in failed.',
      );
      setPending(false);
    }
  }

  return (
    <main className="mx-auto flex min-h-dvh max-w-sm flex-col justify-center px-4 py-10">
      <h1 className="text-2xl font-semibold tracking-tight">Refunds</h1>
      <p className="mt-1 text-quiet">
        Sign in with an API key of this service or a token of your identity provider.
      </p>
      <form
        className="mt-6 rounded-lg border border-line bg-panel p-5"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
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
          aria-invalid={problem !== null}
          aria-describedby={`${id}-note`}
          className={`mt-1.5 font-mono ${FIELD}`}
        />
        <div id={`${id}-note`} className="mt-2 text-sm">
          {problem !== null || ended !== null ? (
            <p role="alert" className="text-bad">
              {problem ?? ended}
            </p>
          ) : (
            <p className="text-quiet">Stored in this tab until you close it or sign out.</p>
          )}
        </div>
        <Button query="primary" type="submit" disabled={pending} className="mt-4 w-full">
          {pending ? 'Signing in…' : 'Sign in'}
        </Button>
      </form>
    </main>
  );
}
