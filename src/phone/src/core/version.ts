/** Whether `version` is at least `minimum`, number by number: 0.10.0 is newer than 0.9.0. */
export function atLeast(version: string, minimum: string): boolean {
  const mine = version.split('.').map(Number);
  const least = minimum.split('.').map(Number);
  for (let i = 0; i < least.length; i++) {
    const difference = (mine[i] ?? 0) - (least[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
