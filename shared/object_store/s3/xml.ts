import { parseXml, XmlElement } from "@rgrove/parse-xml";

/** As much of an XML element as S3's answers need. */
export interface Element {
  readonly name: string;
  readonly text: string;
  child(name: string): Element | undefined;
  children(name: string): Element[];
}

/**
 * The root element of an XML document.
 *
 * @throws {Error} when the text is not well-formed.
 */
export function readXml(text: string): Element {
  return wrap(parseXml(text).root!);
}

function wrap(element: XmlElement): Element {
  const children = (name: string) =>
    element.children
      .filter((node): node is XmlElement => node instanceof XmlElement && node.name === name)
      .map(wrap);
  return { name: element.name, text: element.text, children, child: (name) => children(name)[0] };
}
