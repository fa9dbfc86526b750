const LONGEST = 255;
const CONTROL = /[\p{Cc}\p{Cs}]/u;

/** Whether a text is one that names something here: 1 to 255 characters, none of which is a control character. */
export function isPlainText(text: string): boolean {
  return text.length > 0 && text.length <= LONGEST && !CONTROL.test(text);
}
