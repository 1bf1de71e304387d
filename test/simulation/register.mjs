/** For `node --import`: lets the simulation's stand-ins take the place of the modules that know real time. */
import { register } from 'node:module';

register('./hooks.mjs', import.meta.url);
