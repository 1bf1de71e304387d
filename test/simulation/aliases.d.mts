/** Maps the name of a module to the path of its fake. */
export declare const ALIASES: Readonly<Record<string, string>>;
