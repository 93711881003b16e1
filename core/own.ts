/** What a record has of a name that stands in a file or message; nothing of what every object has, as `constructor`. */
export const findOwn = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;
