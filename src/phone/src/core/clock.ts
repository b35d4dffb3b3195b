/** Only the server's clock counts. The phone learns the difference from each answer; without a network its own must do. */
export type Clock = {
  /** Unix seconds as the server counts them. */
  now(): number;
  /** Seconds by which the phone is ahead (positive) or behind; 0 until learnt. */
  skew(): number;
  /** Takes the server's time; answers whether the correction moved so much that a refused proof is worth repeating. */
  learn(serverTime: number): boolean;
};

export function clock(own: () => number = () => Date.now() / 1000): Clock {
  let skew = 0;
  return {
    now: () => Math.floor(own() - skew),
    skew: () => Math.round(skew),
    learn(serverTime) {
      if (!Number.isFinite(serverTime)) return false;
      const before = skew;
      skew = own() - serverTime;
      // A second of travel and rounding is no skew; codes must not jump because of it.
      if (Math.abs(skew) < 2) skew = 0;
      return Math.abs(skew - before) > 30;
    },
  };
}
