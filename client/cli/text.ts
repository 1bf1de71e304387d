/** Text measured in the columns of a terminal: its width, broken into lines, shortened. */

/** East Asian characters and emoji take two columns. */
const TWO_COLUMNS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u;
/** Combining marks, joiners and variation selectors take none. */
const NO_COLUMN = /[\p{Mn}\p{Me}\p{Cf}]/u;

const widthOfCharacter = (character: string): number =>
  NO_COLUMN.test(character) ? 0 : TWO_COLUMNS.test(character) ? 2 : 1;

/** Columns that `text` takes on one line. It holds no escape sequences: colors are added later. */
export const widthOf = (text: string): number =>
  Array.from(text).reduce((sum, character) => sum + widthOfCharacter(character), 0);

/** Adds spaces up to `width` columns: behind the text, or before it. */
export function padded(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const spaces = ' '.repeat(Math.max(0, width - widthOf(text)));
  return align === 'left' ? text + spaces : spaces + text;
}

/** Breaks `text` at its spaces and line breaks into lines of at most `width` columns. A longer word is broken inside. */
export function wrapped(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    let line = '';
    for (const note of paragraph.split(' ').flatMap((one) => pieces(one, width))) {
      const longer = line === '' ? note : `${line} ${note}`;
      if (widthOf(longer) <= width) line = longer;
      else {
        lines.push(line);
        line = note;
      }
    }
    return [...lines, line];
  });
}

function pieces(note: string, width: number): string[] {
  if (widthOf(note) <= width) return [note];
  const all: string[] = [];
  let piece = '';
  for (const character of note) {
    if (piece !== '' && widthOf(piece + character) > width) {
      all.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...all, piece];
}

/** Shortens each id of 16 characters and more to its first eight and last four, as the console does: `8ac7a4a1…d4e5`. */
export const shortIds = (text: string): string =>
  text.replace(/\b[\da-f-]{16,}\b/giu, (id) => `${id.slice(0, 8)}…${id.slice(-4)}`);

/** Shortens an ISO 8601 time to its minute: `2026-11-30T02:46Z`. */
export const toTheMinute = (text: string): string =>
  text.replace(/(\d{4}-\d\d-\d\dT\d\d:\d\d):\d\d(?:\.\d+)?Z/gu, '$1Z');
