// What a docstring says: its text, and its tags.

/** A tag may stand at the beginning of a line, or after the end of a sentence: `Bytes. @default 0`. */
const TAG = /(?:^|\s)@(default|param|returns|throws|example|internal|packageDocumentation)\b/gm;

/**
 * Takes a comment apart, `*` at its beginning included.
 *
 * @returns the `text` before the first tag, and for each name of a tag what stands behind it.
 */
export function parseDocComment(comment) {
  const text = comment
    .slice(1)
    .replaceAll(/^[ \t]*\* ?/gm, '')
    .trim();
  const marks = [...text.matchAll(TAG)];
  const tags = {};
  for (const [i, mark] of marks.entries()) {
    const content = text.slice(mark.index + mark[0].length, marks[i + 1]?.index);
    (tags[mark[1]] ??= []).push(
      mark[1] === 'example' ? content.replace(/^\n/, '') : content.trim(),
    );
  }
  return { text: text.slice(0, marks[0]?.index).trim(), tags };
}
