/** Of the package; a test holds it against package.json, which can't be read in every way that this is bundled. */
export const AGENT_VERSION = '0.3.0';
