/** Text of at most so many characters, for schemas that read what comes from outside. */
import { z } from 'zod';

/**
 * Not `z.string().max()`: zod checks that one also where the type is wrong already, and then throws for a value whose `length` is no
 * number: `{"length":{"toString":1}}` in a body would be a failure of ours (zod 4, `core/checks.js`, the `when` of `max_length`).
 */
export function boundedText(longest: number, wrongType = 'must be text'): z.ZodString {
  return z
    .string({ error: wrongType })
    .refine((value) => value.length <= longest, `must be at most ${longest} characters`)
    .meta({ maxLength: longest });
}
