/** Deliberate defects, each of which some seed has to catch. */
import type { Mutant } from '../world/world.js';

export const MUTANTS: readonly Mutant[] = [];
