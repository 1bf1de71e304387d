/** Tables that fit the screen: ids and times get shorter first, then columns go beneath their row, then they are left out. */
import type { Tone } from '../state-tones.js';
import type { Screen } from './screen.js';
import { padded, widthOf, wrapped } from './text.js';

export interface Column<Row> {
  readonly title: string;
  /** May have several lines; empty: nothing to show. */
  readonly text: (row: Row) => string;
  readonly tone?: (row: Row) => Tone | undefined;
  readonly align?: 'right';
  /** True: may be broken into lines of `WRAPPED` columns at least. */
  readonly wraps?: boolean;
  /** Makes the text shorter where there is no room for all of it. */
  readonly shorter?: (text: string) => string;
  /** Goes beneath its row where there is no room: columns with 1 first, columns with 2 next. */
  readonly beneath?: 1 | 2;
  /** Is left out where there is no room: 0 before anything goes beneath, then 1, 2 and 3. Without it a column is always shown. */
  readonly leaves?: 0 | 1 | 2 | 3;
}

export interface TableOptions {
  /** A line of titles. Default: where the screen has a width. Into a pipe each line is a row. */
  readonly header?: boolean;
  /** A last line that names what is shortened or left out, for a command that has `--wide`. Default true. */
  readonly hint?: boolean;
}

/** Spaces between two columns, and before a line beneath a row. */
const GAP = 2;
const INDENT = 4;
/** Columns of text that is broken into lines, at least. */
const WRAPPED = 28;
const NOTHING = '–';

interface Cell<Row> {
  readonly column: Column<Row>;
  /** One text for each row. */
  readonly texts: readonly string[];
  /** Columns that its longest line takes, title included. */
  readonly width: number;
}

interface Layout<Row> {
  readonly inRow: readonly Cell<Row>[];
  readonly beneath: readonly Cell<Row>[];
  readonly shortened: readonly string[];
  readonly leftOut: readonly string[];
}

/** Returns the table's text. No line is longer than `screen.width`; where that is null each row is one line with all of it. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  screen: Screen,
  { header = screen.width !== null, hint = true }: TableOptions = {},
): string {
  const { width } = screen;
  if (width === null) {
    const inRow = columns.map((column) =>
      cellOf({ ...column, text: (row) => column.text(row).replaceAll('\n', '; ') }, rows, header),
    );
    return linesOf({ inRow, beneath: [] }, rows, screen, header).join('\n');
  }
  const layout = layoutsOf(columns, rows, header).find(({ inRow }) => leastWidth(inRow) <= width);
  if (layout === undefined) return blocksOf(columns, rows, screen);
  const lines = linesOf({ ...layout, inRow: spread(layout.inRow, width) }, rows, screen, header);
  return [...lines, ...(hint ? hintOf(layout, screen, width) : [])].join('\n');
}

/** Every layout that may be used, the best one first. */
function layoutsOf<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  header: boolean,
): readonly Layout<Row>[] {
  const layout = (isShort: boolean, level: number, leftOut: number): Layout<Row> => {
    const shown = columns.filter(({ leaves }) => leaves === undefined || leaves >= leftOut);
    const isBeneath = ({ beneath }: Column<Row>): boolean => beneath !== undefined && beneath <= level;
    const { shorter, inRow } = shortenedIn(
      shown.filter((column) => !isBeneath(column)),
      rows,
      header,
      isShort,
    );
    return {
      inRow,
      beneath: shown.filter(isBeneath).map((column) => cellOf(column, rows, false)),
      shortened: shorter,
      leftOut: columns.filter((column) => !shown.includes(column)).map(({ title }) => title),
    };
  };
  const beneath = [1, 2].flatMap((level) => [layout(false, level, 0), layout(true, level, 0)]);
  return [
    layout(false, 0, 0),
    layout(true, 0, 0),
    layout(true, 0, 1),
    ...beneath,
    ...[1, 2, 3, 4].map((leftOut) => layout(true, 2, leftOut)),
  ];
}

function shortenedIn<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  header: boolean,
  isShort: boolean,
): { readonly inRow: readonly Cell<Row>[]; readonly shorter: readonly string[] } {
  const full = columns.map((column) => cellOf(column, rows, header));
  if (!isShort) return { inRow: full, shorter: [] };
  const inRow = columns.map((column) => {
    const { shorter, text } = column;
    return cellOf(
      shorter === undefined ? column : { ...column, text: (row) => shorter(text(row)) },
      rows,
      header,
    );
  });
  const shorter = inRow.filter(({ texts }, index) =>
    texts.some((text, row) => text !== full[index]?.texts[row]),
  );
  return { inRow, shorter: shorter.map(({ column }) => column.title) };
}

function cellOf<Row>(column: Column<Row>, rows: readonly Row[], header: boolean): Cell<Row> {
  const texts = rows.map((row) => column.text(row));
  const lines = texts.flatMap((text) => (text === '' ? NOTHING : text).split('\n'));
  return { column, texts, width: Math.max(header ? widthOf(column.title) : 0, ...lines.map(widthOf)) };
}

const leastOf = <Row>({ column, width }: Cell<Row>): number =>
  column.wraps === true ? Math.min(width, Math.max(WRAPPED, widthOf(column.title))) : width;

const leastWidth = <Row>(cells: readonly Cell<Row>[]): number =>
  cells.reduce((sum, cell) => sum + leastOf(cell), GAP * (cells.length - 1));

/** Gives the room that is left to the columns that may be broken into lines. */
function spread<Row>(cells: readonly Cell<Row>[], width: number): readonly Cell<Row>[] {
  let left = width - leastWidth(cells);
  return cells.map((cell) => {
    const least = leastOf(cell);
    const more = Math.min(left, cell.width - least);
    left -= more;
    return { ...cell, width: least + more };
  });
}

function linesOf<Row>(
  { inRow, beneath }: Pick<Layout<Row>, 'inRow' | 'beneath'>,
  rows: readonly Row[],
  screen: Screen,
  header: boolean,
): string[] {
  const line = (texts: readonly string[], paint: (index: number, text: string) => string): string =>
    inRow
      .map(({ column, width }, index) => {
        const text = texts[index] ?? '';
        // Spaces stay outside of the color.
        return padded(text, width, column.align).replace(text, () => paint(index, text));
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  const titles = inRow.map(({ column }) => column.title);
  const head = header && rows.length > 0 ? [line(titles, (_, text) => screen.bold(text))] : [];
  const body = rows.flatMap((row, index) => {
    const cells = inRow.map(({ texts, width }) => {
      const text = texts[index] ?? '';
      return wrapped(text === '' ? NOTHING : text, width);
    });
    const height = Math.max(...cells.map((lines) => lines.length));
    const lines = Array.from({ length: height }, (_, at) =>
      line(
        cells.map((texts) => texts[at] ?? ''),
        (column, text) => painted(inRow[column]?.column, row, text, screen),
      ),
    );
    return [...lines, ...titled(beneath, { row, index, indent: INDENT }, screen)];
  });
  return [...head, ...body];
}

/** On a very narrow screen: a line for each cell, an empty one between two rows. */
const blocksOf = <Row>(columns: readonly Column<Row>[], rows: readonly Row[], screen: Screen): string =>
  rows
    .map((row) =>
      titled(
        columns.map((column) => cellOf(column, [row], false)),
        { row, index: 0, indent: 0 },
        screen,
      ).join('\n'),
    )
    .join('\n\n');

/** One cell beneath the other, each with its title. */
function titled<Row>(
  cells: readonly Cell<Row>[],
  { row, index, indent }: { readonly row: Row; readonly index: number; readonly indent: number },
  screen: Screen,
): string[] {
  const titles = Math.max(0, ...cells.map(({ column }) => widthOf(column.title)));
  const before = indent + titles + GAP;
  return cells.flatMap(({ column, texts }) => {
    const text = texts[index] ?? '';
    if (text === '') return [];
    return wrapped(text, Math.max(1, (screen.width ?? Infinity) - before)).map((line, at) => {
      const title = padded(at === 0 ? column.title : '', titles);
      return `${' '.repeat(indent)}${screen.dim(title)}${' '.repeat(GAP)}${painted(column, row, line, screen)}`;
    });
  });
}

function painted<Row>(column: Column<Row> | undefined, row: Row, text: string, screen: Screen): string {
  const tone = text === '' ? undefined : column?.tone?.(row);
  return tone === undefined ? text : screen.tone(tone, text);
}

function hintOf<Row>({ shortened, leftOut }: Layout<Row>, screen: Screen, width: number): string[] {
  if (shortened.length === 0 && leftOut.length === 0) return [];
  const texts = [
    ...(shortened.length === 0 ? [] : [`shortened: ${shortened.join(', ')}`]),
    ...(leftOut.length === 0 ? [] : [`left out: ${leftOut.join(', ')}`]),
  ];
  return wrapped(`(${texts.join('; ')}; --wide shows all of it)`, width).map(screen.dim);
}
