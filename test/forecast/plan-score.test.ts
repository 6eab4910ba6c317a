import { describe, expect, it } from 'vitest';
import { scoreWords } from '../../server/forecast/plan-words.js';
import { judgePrediction, type Prediction, type Seen, scoreOf } from '../../server/forecast/score.js';
import { NOW_MS } from '../support/snapshot.js';

const forecast: Prediction = {
  madeAtMs: NOW_MS,
  instance: 'default',
  queue: 'bull:mail',
  change: { concurrency: 40 },
  backlog: 10_000,
  arrivalsPerSecond: 50,
  drainSeconds: 100,
  drainRange: [80, 130],
};

function seen(afterSeconds: number, over: Partial<Seen> = {}): Seen {
  return {
    atMs: NOW_MS + afterSeconds * 1000,
    backlog: 0,
    arrivalsPerSecond: 50,
    areSettingsChanged: false,
    unseenSeconds: 1,
    ...over,
  };
}

describe('a prediction that comes to its end', () => {
  it('is off by its distance from what happened, and right where that is inside its range', () => {
    expect(judgePrediction(forecast, seen(125))).toEqual({
      status: 'settled',
      actualSeconds: 125,
      errorRatio: 0.2,
      isInsideRange: true,
    });
    expect(judgePrediction(forecast, seen(50))).toMatchObject({ errorRatio: 1, isInsideRange: false });
    expect(judgePrediction(forecast, seen(200))).toMatchObject({ errorRatio: 0.5, isInsideRange: false });
  });

  it('is open while jobs wait, and counts as drained with a hundredth of them left', () => {
    expect(judgePrediction(forecast, seen(100, { backlog: 101 }))).toEqual({ status: 'open' });
    expect(judgePrediction(forecast, seen(100, { backlog: 100 }))).toMatchObject({ status: 'settled' });
  });

  it('is settled as wrong when three times its range have passed', () => {
    expect(judgePrediction(forecast, seen(390, { backlog: 5_000 }))).toEqual({ status: 'open' });
    expect(judgePrediction(forecast, seen(400, { backlog: 5_000 }))).toEqual({
      status: 'settled',
      actualSeconds: null,
      errorRatio: 0.75,
      isInsideRange: false,
    });
  });
});

describe('a prediction of never', () => {
  const never: Prediction = { ...forecast, drainSeconds: null, drainRange: [600, null] };

  it('is believed after an hour', () => {
    expect(judgePrediction(never, seen(3_599, { backlog: 9_000 }))).toEqual({ status: 'open' });
    expect(judgePrediction(never, seen(3_600, { backlog: 9_000 }))).toMatchObject({
      status: 'settled',
      errorRatio: 0,
      isInsideRange: true,
    });
  });

  it('is wrong when it drains, but inside the range where that was said to be possible', () => {
    expect(judgePrediction(never, seen(700))).toMatchObject({ errorRatio: 1, isInsideRange: true });
    const sure: Prediction = { ...never, drainRange: [null, null] };
    expect(judgePrediction(sure, seen(700))).toMatchObject({ errorRatio: 1, isInsideRange: false });
  });
});

describe('a prediction that says nothing of the model any more', () => {
  it('is void when settings are changed, drained or not', () => {
    const reason = { status: 'void', reason: 'settings-changed' };
    expect(judgePrediction(forecast, seen(90, { areSettingsChanged: true }))).toEqual(reason);
    expect(judgePrediction(forecast, seen(10, { areSettingsChanged: true, backlog: 9_000 }))).toEqual(reason);
  });

  it('is void when arrivals are more than half off, and stays where they are less', () => {
    const reason = { status: 'void', reason: 'arrivals-changed' };
    expect(judgePrediction(forecast, seen(90, { arrivalsPerSecond: 80 }))).toEqual(reason);
    expect(judgePrediction(forecast, seen(90, { arrivalsPerSecond: 20 }))).toEqual(reason);
    expect(judgePrediction(forecast, seen(90, { arrivalsPerSecond: 70 }))).toMatchObject({
      status: 'settled',
    });
  });

  it('is not void for arrivals that chance or nobody would notice', () => {
    // Seven arrivals in the first two seconds where four were expected; after a minute it is no chance any more.
    const small: Prediction = { ...forecast, arrivalsPerSecond: 2, backlog: 100, drainSeconds: 10 };
    expect(judgePrediction(small, seen(2, { arrivalsPerSecond: 3.5, backlog: 80 }))).toEqual({
      status: 'open',
    });
    expect(judgePrediction(small, seen(60, { arrivalsPerSecond: 3.5, backlog: 80 }))).toMatchObject({
      status: 'void',
    });
    // One arrival in the first second where 0.2 a second were expected, of a backlog that shrinks by 100 a second.
    const quiet: Prediction = { ...forecast, arrivalsPerSecond: 0.2 };
    expect(judgePrediction(quiet, seen(1, { arrivalsPerSecond: 1, backlog: 9_000 }))).toEqual({
      status: 'open',
    });
    expect(judgePrediction(quiet, seen(60, { arrivalsPerSecond: 4, backlog: 9_000 }))).toEqual({
      status: 'open',
    });
    expect(judgePrediction(quiet, seen(60, { arrivalsPerSecond: 6, backlog: 9_000 }))).toMatchObject({
      status: 'void',
    });
  });
});

it('the score is the median error and the share inside the range', () => {
  expect(scoreOf([])).toEqual({ count: 0, medianErrorRatio: null, insideRangeRatio: null });
  const score = scoreOf([
    { errorRatio: 0.1, isInsideRange: true },
    { errorRatio: 0.2, isInsideRange: true },
    { errorRatio: 2, isInsideRange: false },
    { errorRatio: 0.05, isInsideRange: true },
  ]);
  expect(score.count).toBe(4);
  expect(score.medianErrorRatio).toBeCloseTo(0.15);
  expect(score.insideRangeRatio).toBe(0.75);
});

describe('the score in words', () => {
  it('says how good forecasts have been, and nothing before there are any', () => {
    const errors = [0.02, 0.05, 0.09, 0.2];
    const settled = errors.map((errorRatio) => ({ errorRatio, isInsideRange: errorRatio < 0.15 }));
    expect(scoreWords(scoreOf(settled))).toBe(
      'Of the last 4 forecasts half were within 7%, 3 of 4 within their range.',
    );
    expect(scoreWords(scoreOf(settled.slice(0, 1)))).toBe(
      'The last forecast was off by 2%, within its range.',
    );
    expect(scoreWords(scoreOf([]))).toBeNull();
  });
});
