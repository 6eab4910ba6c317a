import { CAUSES } from '../findings/follows.js';
import { compareSeverity } from '../findings/track.js';
import type { Alert } from '../model/alert.js';

/**
 * Nobody is notified of an effect while an alert about its cause is pending or fires: that one has the remedies. It goes on
 * to be judged, and they are if it still holds once its cause is over.
 *
 * Which alert explains each of these, all of one instance that are pending or fire.
 * @returns one entry for each that is explained; its own cause explains nothing.
 */
export function inhibitors(active: readonly Alert[]): ReadonlyMap<Alert, Alert> {
  const found = new Map<Alert, Alert>();
  const present = new Set<string>();
  for (const { code } of active) present.add(code);
  for (const { causes, isEffect, within } of CAUSES) {
    if (![...causes].some((cause) => present.has(cause))) continue;
    const sources = active.filter(({ code }) => causes.has(code));
    for (const alert of active) {
      if (found.has(alert) || causes.has(alert.code) || !isEffect(alert.code)) continue;
      const source = sources.find(
        (one) =>
          // A warning must not keep anybody from being woken by what somebody has called critical.
          compareSeverity(one.severity, alert.severity) <= 0 &&
          (within === 'instance' || isSameQueue(one, alert)),
      );
      if (source) found.set(alert, source);
    }
  }
  return found;
}

/** A cause that stands for many queues is about each of them. */
function isSameQueue(cause: Alert, effect: Alert): boolean {
  return cause.subject.queue === null || cause.subject.queue === effect.subject.queue;
}
