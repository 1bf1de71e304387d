/** Run as a program: gets Schemathesis for this user's tests, and prints where it is. */
import { getSchemathesis } from './schemathesis.js';

process.stdout.write(`schemathesis: ${await getSchemathesis()}\n`);
