/** Names of operators and systems: normalization, comparison, and the names that are reserved for the program. */

/** Actors of the program's own events. An operator with such a name would sign as the program. */
const RESERVED: ReadonlySet<string> = new Set([
  'system',
  'gateway',
  'answer',
  'query',
  'notification',
  'cancellation',
  'sweep',
  'cli',
]);

const LONGEST = 255;
const REFUSED = /[\p{Cc}\p{Cs}\p{Co}]/u;
/** Invisible characters: format characters (Cf) and those that Unicode lets a font leave out. */
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Returns the name as it is stored: NFKC, without format characters, with single blanks and none at its ends. Undefined if it cannot be a
 * name: not text, empty, longer than 255 characters, or with control characters, half of a surrogate pair or private-use characters.
 */
export function normalizeName(given: unknown): string | undefined {
  if (typeof given !== 'string' || REFUSED.test(given)) return undefined;
  // Normalized twice: removing a character can join two others that compose.
  const name = given
    .normalize('NFKC')
    .replace(INVISIBLE, '')
    .replace(/\p{White_Space}+/gu, ' ')
    .trim()
    .normalize('NFKC');
  return name === '' || name.length > LONGEST || REFUSED.test(name) ? undefined : name;
}

/** The same for the name of an operator or a client. Undefined for a reserved name too. */
export function readName(given: unknown): string | undefined {
  const name = normalizeName(given);
  return name === undefined || RESERVED.has(principalKey(name)) ? undefined : name;
}

export const NAME_RULE =
  'must be 1 to 255 characters, none of them a control character, no card number, and no name that is reserved for the program';

/** Letters of other alphabets and unusual Latin letters, each with the plain Latin letter that it looks like (Unicode TR 39). */
const HOMOGLYPHS = 'авеікмнорстухѕјһӏԁԛԝ' + 'αβγεηικνορστυχϲϳ' + 'օոսհցզ' + 'ɑɡɩᴄᴏᴜᴠᴡᴢꜱ';
const LATIN = 'abeikmhopctyxsjhldqw' + 'abyenikvopotuxcj' + 'onuhgq' + 'agicouvwzs';

const LOOKS_LIKE = new Map(Array.from(HOMOGLYPHS, (letter, at) => [letter, LATIN.charAt(at)]));

/** Returns equal text for names of one operator: capitals, blanks, invisible characters and look-alike letters make no difference. */
export function principalKey(name: string): string {
  const folded = (normalizeName(name) ?? name.trim()).toUpperCase().toLowerCase();
  // Splits off accents, so that an accented letter of another alphabet is compared with its Latin letter as well.
  const letters = Array.from(folded.normalize('NFKD'), (letter) => LOOKS_LIKE.get(letter) ?? letter);
  return letters.join('').normalize('NFKC');
}
