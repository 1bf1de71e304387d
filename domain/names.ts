/** Names of operators and systems: how they are kept, when two are one, and which the program keeps for itself. */

/** The program writes these as the actor of what it does itself. An operator of that name would sign as the program. */
const RESERVED: ReadonlySet<string> = new Set([
  'system',
  'gateway',
  'answer',
  'query',
  'notification',
  'notification',
  'operator',
  'cancellation',
  'sweep',
  'cli',
]);

const LONGEST = 255;
const REFUSED = /[\p{Cc}\p{Cs}\p{Co}]/u;
/** What no screen shows: format characters (Cf) and what Unicode lets a font leave out. */
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Returns the name as it is kept: NFKC, without format characters, blanks single and none at its ends. Undefined for what cannot be a
 * name: no text, control characters, half of a surrogate pair, private use, nothing that is left, more than 255 characters.
 */
export function normalizeName(given: unknown): string | undefined {
  if (typeof given !== 'string' || REFUSED.test(given)) return undefined;
  // A character less can bring two together that compose.
  const name = given
    .normalize('NFKC')
    .replace(INVISIBLE, '')
    .replace(/\p{White_Space}+/gu, ' ')
    .trim()
    .normalize('NFKC');
  return name === '' || name.length > LONGEST || REFUSED.test(name) ? undefined : name;
}

/** The same for a name that an operator or a client may have: none that the program keeps for itself. */
export function readName(given: unknown): string | undefined {
  const name = normalizeName(given);
  return name === undefined || RESERVED.has(principalKey(name)) ? undefined : name;
}

export const NAME_RULE =
  'must be 1 to 255 characters, none of them a control character, no card number, and no name that the program keeps for itself';

/** Letters of other alphabets, and small letters that are no plain ones, with the Latin ones that they look like (Unicode TR 39). */
const HOMOGLYPHS = 'авеікмнорстухѕјһӏԁԛԝ' + 'αβγεηικνορστυχϲϳ' + 'օոսհցզ' + 'ɑɡɩᴄᴏᴜᴠᴡᴢꜱ';
const LATIN = 'abeikmhopctyxsjhldqw' + 'abyenikvopotuxcj' + 'onuhgq' + 'agicouvwzs';

const LOOKS_LIKE = new Map(Array.from(HOMOGLYPHS, (letter, at) => [letter, LATIN.charAt(at)]));

/** The same text for names that are one person: capitals, blanks, invisible characters and look-alike letters do not make a second one. */
export function principalKey(name: string): string {
  const folded = (normalizeName(name) ?? name.trim()).toUpperCase().toLowerCase();
  // Apart from its accent, so that an accented letter of another alphabet looks like its Latin one as well.
  const letters = Array.from(folded.normalize('NFKD'), (letter) => LOOKS_LIKE.get(letter) ?? letter);
  return letters.join('').normalize('NFKC');
}
