interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const UNESCAPED: Readonly<Record<string, string>> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' };

/**
 * Reads Prometheus text format 0.0.4 strictly, as a scraper would: one HELP and one TYPE a metric, before its samples.
 * @throws Error with the line that is not of the format.
 */
export function parseExposition(text: string): { samples: ParsedSample[]; types: Map<string, string> } {
  const samples: ParsedSample[] = [];
  const types = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ')) continue;
    const type = /^# TYPE ([a-z0-9_]+) (gauge|counter)$/.exec(line);
    if (type?.[1] && type[2]) {
      if (types.has(type[1])) throw new Error(`TYPE twice: ${line}`);
      types.set(type[1], type[2]);
      continue;
    }
    const sample = /^([a-z0-9_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\} (\S+)$/s.exec(line);
    if (!sample?.[1]) throw new Error(`not a sample: ${line}`);
    if (!types.has(sample[1])) throw new Error(`sample before its TYPE: ${line}`);
    const labels = [...(sample[2] ?? '').matchAll(/([a-z]+)="((?:[^"\\]|\\.)*)"/gs)].map(
      ([, name, value]) => [
        name,
        (value ?? '').replace(/\\[\\"n]/g, (escaped) => UNESCAPED[escaped] ?? escaped),
      ],
    );
    samples.push({ name: sample[1], labels: Object.fromEntries(labels), value: numberOf(sample[3] ?? '') });
  }
  return { samples, types };
}

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  const value = Number(text);
  if (Number.isNaN(value)) throw new Error(`not a number: ${text}`);
  return value;
}
