/** Run as a program by a test: starts PostgreSQL on the folder given, writes a row, prints the postmaster's id, stays. */
import pg from 'pg';
import { startPostgres } from '../../sandbox/servers/postgres.js';

const dataDir = process.argv[2];
if (dataDir === undefined) throw new Error('usage: start-postgres.ts FOLDER');
const server = await startPostgres({ dataDir });
const client = new pg.Client(server.url);
await client.connect();
await client.query('create table refund (id int); insert into refund values (1)');
await client.end();
process.stdout.write(`${server.pid}\n`);
setInterval(() => undefined, 60_000);
