import { meant, Meant } from '../../api/codes'
import { waiting } from '../../api/drafts'
import { open } from '../../api/opened'
import { onSent, send } from '../../api/outbox'
import { isLarge, showError, turnTo } from '../../look'
import { REFUSALS, words } from '../../words'

const NOT_OURS = '这不是办事回执上的评价二维码'

Page({
  data: { words, large: false, typed: '', told: '', unsent: 0 },
  stop: () => {},

  /** `q` is the address on a slip, `scene` what stands in a WeChat code; each is encoded once. */
  onLoad(query: { q?: string; scene?: string }) {
    const scanned = decoded(query.q || query.scene || '')
    if (scanned) this.goTo(meant(scanned), true)
    this.stop = onSent(() => this.count())
  },

  onShow() {
    this.setData({ large: isLarge() })
    this.count()
  },

  onUnload() {
    this.stop()
  },

  count() {
    this.setData({ unsent: waiting().length })
  },

  goTo(found: Meant | null, instead = false) {
    if (!found) this.setData({ told: NOT_OURS }, showError)
    else if (found.page === 'review') open('review', { code: found.code }, instead)
    else if (found.page === 'hall') open('hall', { place: found.place }, instead)
    else open('track', { queryCode: found.queryCode }, instead)
  },

  scan() {
    this.setData({ told: '' })
    wx.scanCode({ scanType: ['qrCode'], success: ({ result }) => this.goTo(meant(result)) })
  },

  onTyped(event: WechatMiniprogram.Input) {
    this.setData({ typed: event.detail.value })
  },

  lookUp() {
    const found = meant(this.data.typed)
    if (found) {
      this.setData({ told: '' })
      this.goTo(found)
    } else {
      this.setData({ told: `${REFUSALS.unknown_query_code}。${words.compare}` }, showError)
    }
  },

  sendWaiting() {
    waiting().forEach((code) => {
      send(code).catch(() => wx.showToast({ title: '还没有发出去', icon: 'none' }))
    })
  },

  onTurn(event: WechatMiniprogram.CustomEvent<{ large: boolean }>) {
    turnTo(this, event.detail.large)
  },
})

/** Some scanners hand the address over as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
