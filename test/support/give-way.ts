import { setPriority } from 'node:os';

/** Files that are judged by the clock go first where processors are short, and all that they start. */
setPriority(10);
