/** Runs the works of one name one after the other, those of others beside them. Passes on what the work gives or throws. */
export type Alone = <T>(name: string, work: () => Promise<T>) => Promise<T>;

export function oneAtATime(): Alone {
  const last = new Map<string, Promise<unknown>>();
  return async (name, work) => {
    const mine = (last.get(name) ?? Promise.resolve()).then(work);
    const done = mine.catch(() => undefined);
    last.set(name, done);
    try {
      return await mine;
    } finally {
      if (last.get(name) === done) last.delete(name);
    }
  };
}
