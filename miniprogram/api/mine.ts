// The citizen's own reviews. One given before the login was there is claimed afterwards, unseen.
import { get, newKey, post, Refused } from './request'
import { forget, known, login } from './session'
import { Listed, Mine } from './shapes'

const PENDING = 'claims'
const KEPT_ON_ERASE = ['type']

export type Filter = 'all' | 'open' | 'closed'

export function mine(filter: Filter, cursor: string | null): Promise<Listed<Mine>> {
  const next = cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''
  return get<Listed<Mine>>(`/api/v1/me/reviews?limit=20&state=${filter}${next}`, 'citizen')
}

export function claim(queryCode: string): Promise<unknown> {
  return post('/api/v1/me/claims', { query_code: queryCode }, `claim-${queryCode}`, 'citizen')
}

export function claimLater(queryCode: string): void {
  wx.setStorageSync(PENDING, [...pending(), queryCode])
  void claimPending().catch(() => undefined)
}

export async function claimPending(): Promise<void> {
  if (!pending().length) return
  if (!known()) await login()
  for (const queryCode of pending()) {
    try {
      await claim(queryCode)
    } catch (thrown) {
      if (!(thrown instanceof Refused) || thrown.kind !== 'refused' || thrown.status === 401) throw thrown
    }
    wx.setStorageSync(PENDING, pending().filter((other) => other !== queryCode))
  }
}

export function exported(): Promise<object> {
  return get<object>('/api/v1/me/export', 'citizen')
}

/** The server forgets the person, this phone forgets the rest. */
export async function erase(): Promise<void> {
  await post('/api/v1/me/erase', {}, newKey(), 'citizen')
  forget()
  const { keys } = wx.getStorageInfoSync()
  keys.filter((key) => !KEPT_ON_ERASE.includes(key)).forEach((key) => wx.removeStorageSync(key))
}

function pending(): string[] {
  return wx.getStorageSync<string[]>(PENDING) || []
}
