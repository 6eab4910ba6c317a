/** Fields of an INFO answer by name, sections run together. */
export function parseInfo(text: string): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && line[0] !== '#') fields[line.slice(0, colon)] = line.slice(colon + 1).trimEnd();
  }
  return fields;
}

/** Number of an INFO field; `otherwise` where it is missing or no number. */
export function infoNumber(info: Readonly<Record<string, string>>, name: string, otherwise = 0): number {
  const value = Number(info[name]);
  return info[name] !== undefined && Number.isFinite(value) ? value : otherwise;
}

/** `a=1,b=2` as INFO writes compound fields. */
export function parsePairs(text: string | undefined): Readonly<Record<string, string>> {
  const pairs: Record<string, string> = {};
  for (const part of (text ?? '').split(',')) {
    const equals = part.indexOf('=');
    if (equals > 0) pairs[part.slice(0, equals)] = part.slice(equals + 1);
  }
  return pairs;
}
