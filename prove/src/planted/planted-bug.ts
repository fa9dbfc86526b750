/** A bug that is put into a copy of what was built, to see that a promise notices it. */
export interface PlantedBug {
  /** What is wrong, in a few words. */
  readonly name: string;
  /** File below the root of the repository: built JavaScript or Lua. */
  readonly file: string;
  /** Text that stands there exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Number of the promise that it breaks. */
  readonly promise: string;
}

/** The text with the bug in it. @throws Error when what is to be replaced does not stand there exactly once */
export function plantIn(text: string, { name, file, find, replace }: PlantedBug): string {
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`"${name}" cannot be planted: its text stands ${places} times in ${file}`);
  return text.replace(find, () => replace);
}
