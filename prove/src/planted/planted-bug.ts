/** A change to one file of what was built. */
export interface PlantedChange {
  /** What is wrong, in a few words. */
  readonly name: string;
  /** File below the root of the repository: built JavaScript or Lua. */
  readonly file: string;
  /** Text that stands there exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** A bug that is put into a copy of what was built, to see that a promise notices it. */
export interface PlantedBug extends PlantedChange {
  /** Number of the promise that it breaks. */
  readonly promise: string;
  /** What the proof has to say: red for another reason has found nothing. */
  readonly because: RegExp;
}

/** The text with the change in it. @throws Error when what is to be replaced does not stand there exactly once */
export function plantIn(text: string, { name, file, find, replace }: PlantedChange): string {
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`"${name}" cannot be planted: its text stands ${places} times in ${file}`);
  return text.replace(find, () => replace);
}
