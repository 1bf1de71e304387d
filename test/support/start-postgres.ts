/** A program that a test runs: starts PostgreSQL on the given folder, writes a row, prints the postmaster's process id, and keeps running. */
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
