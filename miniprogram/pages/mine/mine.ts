import { Filter, mine } from '../../api/mine'
import { whenBack } from '../../api/network'
import { open } from '../../api/opened'
import { asRefused } from '../../api/request'
import { Mine } from '../../api/shapes'
import { isLarge, turnTo } from '../../look'
import { day } from '../../when'
import { STATES, words } from '../../words'

const FILTERS: { filter: Filter; name: string }[] = [
  { filter: 'all', name: '全部' }, { filter: 'open', name: '办理中' }, { filter: 'closed', name: '已办结' },
]

interface Line {
  place: number
  queryCode: string
  level: number
  levelName: string
  matter: string
  agency: string
  day: string
  state: string
}

Page({
  data: {
    words, large: false, filters: FILTERS, filter: 'all' as Filter, lines: [] as Line[], told: '',
    state: 'loading' as 'loading' | 'failed' | 'empty' | 'list', more: 'idle' as 'idle' | 'loading' | 'end' | 'failed',
  },
  cursor: null as string | null,
  asked: 0,
  stop: () => {},

  async onLoad() {
    this.stop = whenBack(() => this.data.state === 'failed' && this.load())
    await this.load()
  },

  onShow() {
    this.setData({ large: isLarge() })
  },

  onUnload() {
    this.stop()
  },

  async onPullDownRefresh() {
    await this.load()
    void wx.stopPullDownRefresh()
  },

  async onReachBottom() {
    if (this.data.more === 'idle' && this.data.state === 'list') await this.loadMore()
  },

  async load() {
    this.cursor = null
    this.setData({ state: 'loading', told: '', lines: [] })
    await this.read()
  },

  async loadMore() {
    if (this.data.more === 'loading') return
    this.setData({ more: 'loading' })
    await this.read()
  },

  /** An answer to what is no longer asked (the filter was changed) is dropped. */
  async read() {
    const asked = (this.asked += 1)
    try {
      const { items, next_cursor: next } = await mine(this.data.filter, this.cursor)
      if (asked !== this.asked) return
      const before = this.data.lines
      const lines = [...before, ...items.map((each, place) => line(each, before.length + place))]
      this.cursor = next || null
      this.setData({ lines, state: lines.length ? 'list' : 'empty', more: next ? 'idle' : 'end' })
      if (!lines.length) this.setData({ told: '这里还没有评价。别处评的，可以凭查询编码认领。' })
    } catch (thrown) {
      if (asked === this.asked) this.failed(asRefused(thrown).told)
    }
  },

  failed(told: string) {
    this.setData({ told, ...(this.data.lines.length ? { more: 'failed' } : { state: 'failed' }) })
  },

  async onFilter(event: WechatMiniprogram.TouchEvent) {
    this.setData({ filter: event.currentTarget.dataset.filter as Filter })
    await this.load()
  },

  openLine(event: WechatMiniprogram.TouchEvent) {
    const queryCode = event.currentTarget.dataset.code as string
    if (queryCode) open('track', { queryCode })
  },

  onTurn(event: WechatMiniprogram.CustomEvent<{ large: boolean }>) {
    turnTo(this, event.detail.large)
  },
})

function line(review: Mine, place: number): Line {
  const order = review.work_order
  return {
    place, queryCode: review.query_code || '', level: review.level, levelName: review.level_name,
    matter: review.matter, agency: review.agency, day: day(review.at),
    state: review.state === 'undone' ? words.undone : order ? STATES[order.state] : '',
  }
}
