// From page to page by hand and not by address: WeChat counts addresses, and a code is nobody's business.
import { About } from './walls'

export interface Opened {
  review: { code: string; about?: About }
  thanks: { queryCode: string; asMine: boolean }
  track: { queryCode: string }
  questionnaire: { queryCode: string }
  /** Where it is reported, or the code of what was. */
  pressure: { path?: string; queryCode?: string }
  objection: { code: string }
  claim: { queryCode: string }
  hall: { place: string }
}

const PREFIX = 'opened:'

export function open<P extends keyof Opened>(page: P, what: Opened[P], instead = false): void {
  wx.setStorageSync(PREFIX + page, what)
  const url = `/pages/${page}/${page}`
  if (instead) void wx.redirectTo({ url })
  else wx.navigateTo({ url, fail: () => wx.redirectTo({ url }) }) // ten pages are the limit
}

export function opened<P extends keyof Opened>(page: P): Opened[P] | null {
  return wx.getStorageSync<Opened[P] | ''>(PREFIX + page) || null
}
