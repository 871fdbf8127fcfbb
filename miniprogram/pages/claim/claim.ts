import { grouped, typedQueryCode } from '../../api/codes'
import { claim } from '../../api/mine'
import { opened } from '../../api/opened'
import { asRefused } from '../../api/request'
import { isLarge, turnTo } from '../../look'
import { REFUSALS, words } from '../../words'

Page({
  data: { words, large: false, typed: '', told: '', busy: false, done: false },

  onLoad() {
    const found = opened('claim')
    if (found) this.setData({ typed: grouped(found.queryCode) })
    wx.removeStorageSync('opened:claim')
  },

  onShow() {
    this.setData({ large: isLarge() })
  },

  onTyped(event: WechatMiniprogram.Input) {
    this.setData({ typed: event.detail.value, told: '' })
  },

  async claim() {
    const queryCode = typedQueryCode(this.data.typed)
    if (!queryCode) return this.setData({ told: `${REFUSALS.unknown_query_code}。${words.compare}` })
    this.setData({ busy: true, told: '' })
    try {
      await claim(queryCode)
      this.setData({ done: true })
    } catch (thrown) {
      this.setData({ told: asRefused(thrown).told })
    }
    this.setData({ busy: false })
  },

  goMine() {
    void wx.redirectTo({ url: '/pages/mine/mine' })
  },

  onTurn(event: WechatMiniprogram.CustomEvent<{ large: boolean }>) {
    turnTo(this, event.detail.large)
  },
})
