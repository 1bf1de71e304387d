/** `npm run bench -- webhooks [--seconds N] [--rate R]`: runs the named benchmark and prints its figures. */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { benchWebhooks } from './webhooks.js';

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '60' },
      rate: { type: 'string', default: '300' },
    },
  });
  const load = { seconds: Number(values.seconds), perSecond: Number(values.rate) };
  if (positionals.join() !== 'webhooks' || !(load.seconds > 0) || !(load.perSecond > 0)) {
    process.stderr.write('usage: npm run bench -- webhooks [--seconds N] [--rate R]\n');
    return 2;
  }
  const figures = await benchWebhooks(load, (line) => process.stderr.write(`  ${line}\n`));
  const table = new Table({ head: Object.keys(figures) });
  table.push(Object.values(figures));
  process.stdout.write(`${table.toString()}\n`);
  return figures.lost === 0 && figures.refused === 0 ? 0 : 1;
}

process.exitCode = await main();
