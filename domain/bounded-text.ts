/** A zod schema for text of limited length, for input from outside. */
import { z } from 'zod';

/**
 * Replaces `z.string().max()`. zod checks `max` even if the type is wrong, and throws if the value's `length` is not a number: a body with
 * `{"length":{"toString":1}}` would cause an internal error (zod 4, `core/checks.js`, the `when` of `max_length`).
 */
export function boundedText(longest: number, wrongType = 'must be text'): z.ZodString {
  return z
    .string({ error: wrongType })
    .refine((value) => value.length <= longest, `must be at most ${longest} characters`)
    .meta({ maxLength: longest });
}
