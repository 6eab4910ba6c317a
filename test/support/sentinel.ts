export { type SentinelGroup, startSentinelGroup } from '../../drills/own-sentinel.js';
