/** Name of a module → path of what takes its place. */
export declare const ALIASES: Readonly<Record<string, string>>;
