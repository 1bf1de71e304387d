/** The words that names avoid, with the terms to use instead, and the check of one file against them. */
import ts from 'typescript';

interface Rule {
  /** The term to use instead. */
  readonly use: string;
  /** Identifiers that a library, the platform or HTTP names so. */
  readonly allowed?: readonly string[];
  /** Beginnings of paths in which the word is the field's own term. */
  readonly allowedIn?: readonly string[];
  /** Beginnings of paths outside of which the word means something else. */
  readonly onlyIn?: readonly string[];
}

/**
 * Words of names, in lower case; two words with a space where only the pair is meant. Not listed because a name does not show the meaning:
 * `resolve` (promises, paths), `refuse` (this program refuses a command, the gateway declines), `plan` (of an order cancellation), `effects`
 * (on money).
 */
const WORDS: Readonly<Record<string, Rule>> = {
  word: { use: 'command or note', allowed: ['wordWrap'] },
  words: { use: 'commands or texts' },
  said: { use: 'command or note' },
  say: { use: 'command, print or report' },
  says: { use: 'shows or reports' },
  person: { use: 'operator or approver' },
  persons: { use: 'operators or approvers' },
  people: { use: 'operators' },
  told: { use: 'reported, received or notified' },
  tell: { use: 'report or notify' },
  tells: { use: 'reports or shows' },
  hear: { use: 'receive' },
  heard: { use: 'received' },
  notice: { use: 'notification (of the gateway) or event (ours)' },
  notices: { use: 'notifications (of the gateway) or events (ours)' },
  away: { use: 'unavailable' },
  desk: { use: 'message handlers' },
  way: { use: 'operation' },
  ways: { use: 'operations' },
  position: { use: 'snapshot' },
  positions: { use: 'snapshots' },
  inquiry: { use: 'query' },
  look: { use: 'query' },
  looked: { use: 'queried' },
  finding: { use: 'reconciliation result', allowedIn: ['ledger/', 'test/audit/'] },
  adopt: { use: 'link or resume' },
  adopted: { use: 'linked or resumed' },
  adoption: { use: 'link' },
  redirect: {
    use: 'change destination',
    allowedIn: [
      'gateway/http/',
      'sandbox/gateway/',
      'server/',
      'test/gateway/',
      'test/console/',
      'test/sandbox/',
    ],
  },
  redirected: { use: 'destination changed' },
  'hand over': { use: 'submit' },
  sends: { use: 'submissions' },
  misses: { use: 'not-found count' },
  'free standing': { use: 'unlinked' },
  'came back': { use: 'returned' },
  'come back': { use: 'returned' },
  story: { use: 'timeline' },
  news: { use: 'updates' },
  upkeep: { use: 'maintenance' },
  keep: {
    use: 'store',
    allowed: ['keepAlive', 'keepAliveMs', 'keepAliveTimeout', 'keepAliveMaxTimeout', 'keepPreviousData'],
  },
  keeps: { use: 'stores' },
  given: { use: 'fixture', allowed: ['givenName'], onlyIn: ['test/'] },
  world: { use: 'harness' },
  lifetime: { use: 'run' },
  lifetimes: { use: 'runs' },
  course: { use: 'scenario' },
  courses: { use: 'scenarios' },
  'stand in': { use: 'fake' },
  'stand ins': { use: 'fakes' },
  room: { use: 'module or remaining amount' },
  rooms: { use: 'modules' },
  house: { use: 'repository' },
  caller: { use: 'client' },
  callers: { use: 'clients' },
  luck: { use: 'chance' },
  door: { use: 'entry point' },
  mend: { use: 'fix' },
  mended: { use: 'fixed' },
  forget: { use: 'delete' },
  forgotten: { use: 'deleted' },
  weigh: { use: 'check' },
  weighed: { use: 'checked' },
  somebody: { use: 'the name of who acts' },
  nobody: { use: 'the name of who acts' },
  whoever: { use: 'the name of who acts' },
};

/** Openings of a doc comment that hide its subject. */
const OPENINGS = ['What', 'Whoever', 'Where', 'That', 'Nobody', 'Somebody'];

/** A name or comment that does not follow the glossary: its file and line, and what to write instead. */
export interface WordFault {
  readonly at: string;
  readonly text: string;
}

/** Returns the words of a name: of `sinceLastQueryMs`, `last_query_at` and `last-query.ts` alike. */
const partsOf = (name: string): readonly string[] =>
  name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .split(/[^A-Za-z\d]+/)
    .map((part) => part.toLowerCase())
    .filter((part) => part !== '');

/** Returns the first rule that `name` breaks as text, or undefined if it breaks none. */
function faultOf(name: string, file: string): string | undefined {
  const parts = partsOf(name);
  for (const [index, part] of parts.entries())
    for (const word of [part, `${part} ${parts[index + 1] ?? ''}`]) {
      const rule = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
      if (rule === undefined || rule.allowed?.includes(name) === true) continue;
      if (rule.onlyIn?.some((path) => file.startsWith(path)) === false) continue;
      if (rule.allowedIn?.some((path) => file.startsWith(path)) === true) continue;
      return `${name}: "${word}" → ${rule.use}`;
    }
  return undefined;
}

function faultsOfSource(file: string, text: string): readonly WordFault[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const faults: WordFault[] = [];
  const placeOf = (offset: number): string =>
    `${file}:${source.getLineAndCharacterOfPosition(offset).line + 1}`;
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) {
      const fault = faultOf(node.text.replace(/^#/, ''), file);
      if (fault !== undefined) faults.push({ at: placeOf(node.getStart(source)), text: fault });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  const opening = new RegExp(`/\\*\\*[\\s*]*(${OPENINGS.join('|')})\\b`, 'g');
  for (const found of text.matchAll(opening))
    faults.push({
      at: placeOf(found.index),
      text: `a doc comment begins with "${found[1] ?? ''}": begin with what it does`,
    });
  return faults;
}

/** Checks names of tables, columns, indexes and functions; comments and texts are not names. */
function faultsOfSchema(file: string, text: string): readonly WordFault[] {
  return text.split('\n').flatMap((line, index) => {
    const names =
      line
        .replace(/--.*$/, '')
        .replace(/'[^']*'/g, '')
        .match(/[a-z_][a-z_\d]*/g) ?? [];
    return names.flatMap((name) => {
      const fault = faultOf(name, file);
      return fault === undefined ? [] : [{ at: `${file}:${index + 1}`, text: fault }];
    });
  });
}

/**
 * Checks the name of a file and, in TypeScript and SQL, its names and doc comments. `file` is its path in the repository. A name that a
 * library or the platform demands belongs in `allowed` of its word.
 */
export function wordFaults(file: string, text: string): readonly WordFault[] {
  const inName = faultOf(file.replace(/^.*\//, ''), file);
  const own = inName === undefined ? [] : [{ at: file, text: inName }];
  if (/\.tsx?$/.test(file)) return [...own, ...faultsOfSource(file, text)];
  return file.endsWith('.sql') ? [...own, ...faultsOfSchema(file, text)] : own;
}
