/** Where to go after the login: a path of this address, never another site; else the console. */
export function findNext(next: unknown): string {
  return typeof next === 'string' && /^\/(?![/\\])[\x21-\x7e]*$/.test(next) ? next : '/';
}
