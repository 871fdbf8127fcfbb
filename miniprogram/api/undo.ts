// The receipt's code, by the query code of its review, for as long as the review can be undone.
import { post } from './request'
import { ReviewTaken } from './shapes'

const PREFIX = 'undo:'

interface Kept {
  code: string
  until: string
}

export function keepForUndo(taken: ReviewTaken, code: string): void {
  prune()
  wx.setStorageSync(PREFIX + taken.query_code, { code, until: taken.undo_until })
}

export function receiptBehind(queryCode: string): string {
  const kept = wx.getStorageSync<Kept | ''>(PREFIX + queryCode)
  return kept ? kept.code : ''
}

export function undo(queryCode: string): Promise<unknown> {
  return post(`/api/v1/e/${receiptBehind(queryCode)}/undo`, { query_code: queryCode }, `undo-${queryCode}`)
}

function prune(): void {
  const { keys } = wx.getStorageInfoSync()
  for (const key of keys.filter((each) => each.startsWith(PREFIX))) {
    const kept = wx.getStorageSync<Kept>(key)
    if (Date.parse(kept.until) < Date.now()) wx.removeStorageSync(key)
  }
}
