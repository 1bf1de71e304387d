/** Random ids for commands, which are executed once however often they are sent. */

/** Returns a random id. `crypto.randomUUID` does not exist on pages without HTTPS. */
export const randomId = (): string =>
  Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join('-');
