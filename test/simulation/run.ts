/** `npm run test:simulation`: builds the simulation and runs it, with the arguments given. */
import { simulate } from './bundle.js';

process.exitCode = (await simulate(process.argv.slice(2), true)).code;
