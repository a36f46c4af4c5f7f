/**
 * Lines of code in the colours of their language. Only text and class names come from what
 * colours them, so nothing that a file holds becomes markup.
 */
import * as React from 'react';

/** A stretch of a line, and the classes that colour it. */
export interface ISpan {
  text: string;
  classes: string;
}

/** Returns lines in spans; null where the language is not known, or there is too much. */
export type Colouring = (path: string, lines: readonly string[]) => Promise<ISpan[][] | null>;

/** What colours, for the components below; null where nothing does. */
export const ColouringContext = React.createContext<Colouring | null>(null);

/**
 * Return lines in spans as soon as they are coloured; null until then, and where they are not.
 *
 * @param path - the file's path or name, whose ending tells the language.
 */
export function useColours(path: string, lines: readonly string[]): ISpan[][] | null {
  const colour = React.useContext(ColouringContext);
  const text = lines.join('\n');
  const [done, setDone] = React.useState<{ text: string; spans: ISpan[][] | null } | null>(null);
  React.useEffect(() => {
    let isWanted = true;
    if (colour && text !== '') {
      const show = (spans: ISpan[][] | null) => {
        if (isWanted) {
          setDone({ text, spans });
        }
      };
      // A language that cannot be loaded leaves the text as it is.
      colour(path, text.split('\n')).then(show, () => show(null));
    }
    return () => {
      isWanted = false;
    };
  }, [colour, path, text]);
  return done?.text === text ? done.spans : null;
}

/** One line: in colours, or as it is. */
export function ColouredLine(props: {
  text: string | null;
  spans: readonly ISpan[] | undefined;
}): React.JSX.Element {
  const { text, spans } = props;
  return (
    <>
      {spans
        ? spans.map((span, index) =>
            span.classes === '' ? (
              span.text
            ) : (
              <span key={index} className={span.classes}>
                {span.text}
              </span>
            )
          )
        : text}
    </>
  );
}
