/** `npm run bench [-- api | webhooks | entities | audit | codec [options]]`: runs the named benchmark, or all of them one after the other. */
const BENCHES = {
  api: async () => (await import('./api.js')).run,
  webhooks: async () => (await import('./webhooks.js')).run,
  entities: async () => (await import('./entities.js')).run,
  audit: async () => (await import('./audit.js')).run,
  codec: async () => (await import('./codec.js')).run,
} as const;
type Name = keyof typeof BENCHES;

const isName = (text: string): text is Name => Object.hasOwn(BENCHES, text);

async function main([first, ...rest]: readonly string[]): Promise<number> {
  if (first !== undefined && isName(first)) return (await BENCHES[first]())(rest);
  if (first !== undefined) {
    process.stderr.write(
      'usage: npm run bench [-- api | webhooks | entities | audit | codec [options]]; --help after a name lists its options\n',
    );
    return 2;
  }
  const codes: number[] = [];
  for (const open of Object.values(BENCHES)) codes.push(await (await open())([]));
  return Math.max(...codes);
}

process.exitCode = await main(process.argv.slice(2));
