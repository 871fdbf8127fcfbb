import { halves } from '../../api/codes'
import { ask, offered } from '../../api/notices'
import { open, opened } from '../../api/opened'
import { asRefused, get } from '../../api/request'
import { Track } from '../../api/shapes'
import { receiptBehind, undo } from '../../api/undo'
import { orderRows, Row } from '../../facts'
import { isLarge, turnTo } from '../../look'
import { isPast, until } from '../../when'
import { REFUSALS, words } from '../../words'

Page({
  data: {
    words, large: false, state: 'loading' as 'loading' | 'failed' | 'thanks' | 'undone', told: '', busy: false,
    matter: '', level: 0, levelName: '', order: [] as Row[], halves: ['', ''], undoUntil: '', templates: [] as string[],
    asksMore: false,
  },
  queryCode: '',
  away: false,

  async onLoad() {
    const found = opened('thanks')
    this.queryCode = found ? found.queryCode : ''
    await this.load()
    if (found && found.asMine && this.data.order.length) await this.offer()
  },

  onShow() {
    this.setData({ large: isLarge() })
    if (this.away) void this.load()
    this.away = false
  },

  async load() {
    this.setData({ state: 'loading', told: '', halves: halves(this.queryCode) })
    try {
      this.show(await get<Track>(`/api/v1/track/${this.queryCode}`))
    } catch (thrown) {
      this.setData({ state: 'failed', told: asRefused(thrown).told })
    }
  },

  show({ review, work_order: order, questionnaire }: Track) {
    if (!review) return this.setData({ state: 'failed', told: REFUSALS.not_a_review })
    const undoable = receiptBehind(this.queryCode) && !isPast(review.undo_until)
    this.setData({
      state: review.state === 'undone' ? 'undone' : 'thanks',
      asksMore: questionnaire === 'open', matter: review.matter, level: review.level, levelName: review.level_name,
      order: order ? orderRows(order) : [],
      undoUntil: undoable ? until(review.undo_until, review.at) : '',
    })
  },

  /** In the background: without it the page is whole. */
  async offer() {
    try {
      this.setData({ templates: await offered() })
    } catch {
      this.setData({ templates: [] })
    }
  },

  async undo() {
    this.setData({ busy: true, told: '' })
    try {
      await undo(this.queryCode)
      await this.load()
    } catch (thrown) {
      this.setData({ told: asRefused(thrown).told })
    }
    this.setData({ busy: false })
  },

  rateAgain() {
    open('review', { code: receiptBehind(this.queryCode) }, true)
  },

  copy() {
    wx.setClipboardData({ data: this.queryCode })
  },

  askForNotices() {
    ask(this.data.templates).then(
      (granted) => wx.showToast({ title: granted ? '有进展会用微信告诉您' : '没有开通提醒', icon: 'none' }),
      (thrown) => wx.showToast({ title: asRefused(thrown).told, icon: 'none' }),
    )
  },

  pressed() {
    open('pressure', { path: `/api/v1/track/${this.queryCode}` })
  },

  askMore() {
    this.away = true
    open('questionnaire', { queryCode: this.queryCode })
  },

  track() {
    open('track', { queryCode: this.queryCode })
  },

  goHome() {
    void wx.reLaunch({ url: '/pages/scan/scan' })
  },

  onTurn(event: WechatMiniprogram.CustomEvent<{ large: boolean }>) {
    turnTo(this, event.detail.large)
  },
})
