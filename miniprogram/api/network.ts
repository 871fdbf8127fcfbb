// Pages that failed for want of a network try again when it is back.
const waiting = new Set<() => void>()

export function whenBack(act: () => void): () => void {
  waiting.add(act)
  return () => waiting.delete(act)
}

export function back(): void {
  waiting.forEach((act) => act())
}
