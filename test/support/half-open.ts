export { type HalfOpenWay, startHalfOpenWay } from '../../drills/half-open-way.js';
