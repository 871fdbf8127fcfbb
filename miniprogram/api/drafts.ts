// What was typed and is not yet with the server, by code, on this phone only.
import { ReviewForm } from './shapes'

export interface Attempt {
  form: ReviewForm
  key: string
}

export interface Draft {
  form: ReviewForm
  remember: boolean
  /** Pressed, and no answer seen: the server may have it or not. */
  sending?: Attempt
  /** Attempts with other words before it, of which the same is true. */
  earlier: Attempt[]
  /** The server's word why it will never take it. */
  refused?: string
  saved: number
}

const PREFIX = 'draft:'
const KEPT_FOR = 30 * 24 * 3600 * 1000

export function draftOf(code: string): Draft | null {
  return wx.getStorageSync<Draft | ''>(PREFIX + code) || null
}

export function keep(code: string, draft: Omit<Draft, 'saved'>): Draft {
  const kept = { ...draft, saved: Date.now() }
  wx.setStorageSync(PREFIX + code, kept)
  return kept
}

/** Not sent any more until it is pressed again; but it may have got through. */
export function recall(code: string): void {
  const draft = draftOf(code)
  if (!draft || !draft.sending) return
  keep(code, { ...draft, sending: undefined, earlier: [...draft.earlier, draft.sending] })
}

export function drop(code: string): void {
  wx.removeStorageSync(PREFIX + code)
}

/** Codes of the drafts that wait for the network. */
export function waiting(): string[] {
  return codes().filter((code) => {
    const draft = draftOf(code)
    return Boolean(draft && draft.sending && !draft.refused)
  })
}

export function prune(): void {
  for (const code of codes()) {
    const draft = draftOf(code)
    if (!draft || Date.now() - draft.saved > KEPT_FOR) drop(code)
  }
}

function codes(): string[] {
  const { keys } = wx.getStorageInfoSync()
  return keys.filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length))
}
