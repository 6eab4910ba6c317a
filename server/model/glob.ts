/** A test for a glob. Matches in linear time whatever the pattern: no regular expression is made from what was typed. */
export function globMatcher(glob: string): (text: string) => boolean {
  const pattern = [...glob.replace(/\*+/g, '*')];
  return (text) => {
    const letters = [...text];
    let p = 0;
    let t = 0;
    let star = -1;
    let resumeAt = 0;
    while (t < letters.length) {
      if (pattern[p] === '*') {
        star = p++;
        resumeAt = t;
      } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === letters[t])) {
        p++;
        t++;
      } else if (star >= 0) {
        p = star + 1;
        t = ++resumeAt;
      } else return false;
    }
    while (pattern[p] === '*') p++;
    return p === pattern.length;
  };
}
